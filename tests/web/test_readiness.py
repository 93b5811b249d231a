"""When a replica is ready, and what it says if not."""

from bridge.web.document import Membership
from bridge.web.entry import Entry
from bridge.web.readiness import checks, doubt

LIMIT = 300.0


def test_a_young_position_is_ready_whatever_the_stream_does() -> None:
    """A reconnect or a verification is nothing to tell a kubelet about."""
    states = ("starting", "relisting", "live", "verifying", "delayed")

    assert [doubt(state, "", LIMIT, LIMIT) for state in states] == [""] * 5


def test_an_old_position_says_how_old_and_why() -> None:
    """At three in the morning this line is what is read first."""
    told = doubt("delayed", "403 forbidden: grant list", LIMIT + 1, LIMIT)

    assert told == "position is 301s old, limit 300s (delayed: 403 forbidden: grant list)"
    assert doubt("live", "", LIMIT + 1, LIMIT) == "position is 301s old, limit 300s (live)"


def test_no_position_is_not_ready() -> None:
    """Before the first snapshot consumers have nothing."""
    assert doubt("relisting", "", None, LIMIT) == "no position is committed yet (relisting)"


def test_a_stream_that_has_failed_is_not_ready_at_once() -> None:
    """It will not come back by itself: waiting for its position to age would hide it."""
    assert doubt("failed", "the selector is refused", 1.0, LIMIT) == "the selector is refused"


def test_one_stale_stream_of_two_is_named() -> None:
    """The other one is told to be fine."""
    young, old = Entry("pods", "pods", LIMIT, 0.0), Entry("events", "events", LIMIT, 0.0)
    for entry, position in ((young, 990.0), (old, 600.0)):
        entry.begins(5, "100", position, 1000.0, relisting=False)
        entry.moved("watching", 1000.0, hears=True)

    found = checks((old.read(1000.0), young.read(1000.0)), None, "", stopping=False)

    assert [str(check) for check in found] == [
        "[-]events failed: position is 400s old, limit 300s (live)",
        "[+]pods ok: live, position is 10s old",
    ]


def test_a_member_without_streams_is_ready() -> None:
    """It is there to take over; also while another configuration keeps it waiting, or no rolling update would end."""
    waits = checks((), Membership(member=True, partitions=0), "replicas with another file run", stopping=False)
    joins = checks((), Membership(member=False, partitions=0), "the coordinator is away", stopping=False)

    assert [str(check) for check in (*waits, *joins)] == [
        "[+]group ok: a member, no stream is given to this replica: replicas with another file run",
        "[-]group failed: not a member: the coordinator is away",
    ]


def test_alone_and_without_a_stream_is_not_ready() -> None:
    """As long as the kubeconfig's login takes, for instance."""
    assert [str(check) for check in checks((), None, "", stopping=False)] == ["[-]streams failed: none has begun"]


def test_a_bridge_that_ends_is_not_ready() -> None:
    """Though its streams are fine to their last commit."""
    found = checks((), Membership(member=True, partitions=3), "", stopping=True)

    assert next((check.name, check.ok, check.told) for check in found) == ("shutdown", False, "stopping")
