"""Follower after bridge is the cluster: any history, any faults on both sides, through the whole bridge."""

from hypothesis import given
from hypothesis import strategies as st

from tests.properties.depth import tries
from tests.properties.world import ACTS, Outcome, jump, world

PAUSES = st.sampled_from([0.0, 0.003, 0.2, 1.0, 5.0, 90.0])
"""Seconds: within a read, a transaction, a request, a back-off; longer than bookmarks take."""
LIVES = st.lists(st.tuples(st.sampled_from(ACTS), PAUSES), min_size=5, max_size=30)


@tries(25)
@given(LIVES)
def test_whatever_befalls_them_consumers_have_what_the_cluster_has(life: list[tuple[str, float]]) -> None:
    """0 lost, 0 doubled, 0 ghosts, by the judge of the trials; and the library for consumers agrees."""

    async def lived() -> Outcome:
        async with world() as here:
            return await here.live(life)

    outcome = jump(lived())

    assert outcome.report.ok, str(outcome.report)
    assert outcome.follower == outcome.cluster


@tries(10)
@given(LIVES)
def test_without_transactions_nothing_is_lost_either(life: list[tuple[str, float]]) -> None:
    """What is told again is told exactly again; the rest is as with transactions. And no ghosts."""

    async def lived() -> Outcome:
        async with world("at-least-once") as here:
            return await here.live(life)

    outcome = jump(lived())

    assert outcome.report.ok, str(outcome.report)
    assert outcome.follower == outcome.cluster
