"""The assignor: every partition to one member, streams evenly, and nothing moved without need."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.ownership.shares import Shares, hand_over, share

Weights = list[int]
MEMBERS = st.sets(st.sampled_from("abcdefgh"), min_size=1)
WEIGHTS = st.lists(st.integers(0, 4), min_size=1, max_size=40)
UNITS = st.lists(st.integers(0, 1), min_size=1, max_size=40)


def settled(weights: Weights, members: set[str]) -> Shares:
    return share(weights, dict.fromkeys(members, ()))


def loads(weights: Weights, shares: Shares) -> dict[str, int]:
    return {member: sum(weights[number] for number in numbers) for member, numbers in shares.items()}


@st.composite
def groups(draw: st.DrawFn, weights: st.SearchStrategy[Weights] = WEIGHTS) -> tuple[Weights, dict[str, set[int]]]:
    """Any partitions, and members that hold any of them, no two the same."""
    counts, members = draw(weights), sorted(draw(MEMBERS))
    held: dict[str, set[int]] = {member: set() for member in members}
    for number in range(len(counts)):
        owner = draw(st.sampled_from([None, *members]))
        if owner is not None:
            held[owner].add(number)
    return counts, held


@given(groups())
def test_every_partition_has_exactly_one_owner(group: tuple[Weights, dict[str, set[int]]]) -> None:
    """One without would be silence, one with two a fight."""
    weights, held = group

    shares = share(weights, held)

    assert shares.keys() == held.keys()
    assert sorted(number for numbers in shares.values() for number in numbers) == list(range(len(weights)))


@given(groups())
def test_the_outcome_depends_on_nothing_else(group: tuple[Weights, dict[str, set[int]]]) -> None:
    """Whoever leads says the same, or a change of the leader would move streams."""
    weights, held = group

    assert share(weights, held) == share(weights, dict(reversed(held.items())))


@given(groups(UNITS))
def test_streams_are_spread_evenly(group: tuple[Weights, dict[str, set[int]]]) -> None:
    """By streams: two replicas with 16 partitions each, and all streams with one of them, would be no help."""
    weights, held = group

    streams = loads(weights, share(weights, held)).values()
    empty = loads([1 - weight for weight in weights], share(weights, held)).values()

    assert max(streams) - min(streams) <= 1
    assert max(empty) - min(empty) <= 1


@given(groups())
def test_no_move_would_make_it_more_even(group: tuple[Weights, dict[str, set[int]]]) -> None:
    """Streams that share a partition cannot be parted; the rest can."""
    weights, held = group

    shares = share(weights, held)
    load = loads(weights, shares)

    for giver in shares:
        for taker in shares:
            gap = load[giver] - load[taker]
            assert not any(0 < weights[number] < gap for number in shares[giver])


@given(WEIGHTS, MEMBERS)
def test_what_is_even_stays(weights: Weights, members: set[str]) -> None:
    """A rebalance without a change moves nothing."""
    shares = settled(weights, members)

    assert share(weights, shares) == shares


@given(UNITS, MEMBERS)
def test_a_new_member_gets_what_it_must_and_nothing_else_moves(weights: Weights, members: set[str]) -> None:
    """Each move is a take-over of streams: only to the newcomer, and only its even share."""
    before = settled(weights, members)

    after = share(weights, {**before, "z": set()})

    assert all(after[member] <= before[member] for member in members)
    assert loads(weights, after)["z"] == sum(weights) // (len(members) + 1)


def test_streams_that_share_a_partition_do_not_make_others_move() -> None:
    """The newcomer could get the two of one partition; then a third stream would have to move between the others."""
    held = {"a": {0, 1}, "b": {2, 3}, "c": set[int]()}

    assert share([2, 1, 2, 1], held) == {"a": {0}, "b": {2}, "c": {1, 3}}


@given(UNITS, st.sets(st.sampled_from("abcdefgh"), min_size=2))
def test_when_a_member_goes_the_others_keep_theirs(weights: Weights, members: set[str]) -> None:
    """Only the orphans move."""
    before = settled(weights, members)
    left = {member: numbers for member, numbers in before.items() if member != min(members)}

    after = share(weights, left)

    assert all(numbers <= after[member] for member, numbers in left.items())


@given(groups())
def test_hand_overs_come_to_an_end(group: tuple[Weights, dict[str, set[int]]]) -> None:
    """Nothing is given to one member that another still holds; after some rounds everybody has what was meant."""
    weights, held = group
    for _ in range(4):
        granted = hand_over(share(weights, held), held)
        for member, numbers in granted.items():
            others = set().union(*(held[other] for other in held if other != member))
            assert not numbers & others
        if granted == held:
            break
        held = granted

    assert sorted(number for numbers in held.values() for number in numbers) == list(range(len(weights)))


def test_what_two_claim_is_given_to_none_before_one_lets_go() -> None:
    """It cannot be; if it is, nobody may run it twice."""
    held = {"a": {0, 1}, "b": {0}}

    granted = hand_over(share([1, 1], held), held)

    assert 0 not in granted["a"] | granted["b"]
