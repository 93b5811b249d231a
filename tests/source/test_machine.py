"""The machine's rules, one by one. Whole conversations are in tests/scenarios."""

import pytest
from msgspec.structs import replace

from bridge.model.event import Progress, Restarted, RestartReason, Synced
from bridge.model.position import NO_EPOCH, Epoch, ResourceVersion
from bridge.source.faults import (
    Degraded,
    FallBack,
    Fatal,
    Fault,
    Kind,
    Phase,
    Relist,
    Removed,
    RestartList,
    Resume,
    RetryOnce,
    Wait,
)
from bridge.source.frames import Frame, Page, Status, Undecodable
from bridge.source.machine import UNVERSIONED, ProtocolError, step
from bridge.source.states import (
    Detached,
    Frames,
    Ground,
    Listing,
    Method,
    Newest,
    Opened,
    Origin,
    Over,
    Reply,
    State,
    Streaming,
    Trouble,
    Unlisted,
    Unproven,
    Watching,
    resumed,
    unlisted,
)
from tests.source.asked import possible
from tests.source.words import NOW, added, at, deleted, listed, mark, modified

GROUND = Ground(Epoch(5))
BEGUN = Ground(Epoch(NOW))
"""NOW is the name of the next epoch, for it is later than 5."""
FIRST = Origin(RestartReason.INITIAL)
ORIGIN = Origin(RestartReason.EXPIRED, "too old", at(5, "90"))
AGAIN = Origin(RestartReason.INTERRUPTED, "the relist before did not finish", at(5, "90"))
RESTARTED = Restarted(Epoch(NOW), RestartReason.EXPIRED, "too old", at(5, "90"))

UNLISTED = Unlisted(GROUND, ORIGIN, Method.STREAM)
PAGED = Unlisted(GROUND, ORIGIN, Method.PAGES)
STREAMING = Streaming(GROUND, ORIGIN)
LISTING = Listing(BEGUN, ORIGIN, Method.PAGES, "token", ResourceVersion("100"))
UNPROVEN = Unproven(GROUND, at(5, "100", 1))
DETACHED = Detached(GROUND, at(5, "100", 1))
WATCHING = Watching(GROUND, at(5, "100", 1))
OVER = Over(GROUND, Trouble(Fault(Phase.OPEN, Kind.HTTP, 400), Fatal()))
STATES: list[State] = [UNLISTED, PAGED, STREAMING, LISTING, UNPROVEN, DETACHED, WATCHING, OVER]

REFUSED = Fault(Phase.OPEN, Kind.NETWORK, message="refused")
LEADERLESS = Status("Status", 500, "InternalError", "etcdserver: no leader")
NO_LEADER = Fault(Phase.STREAM, Kind.EVENT, 500, "InternalError", "etcdserver: no leader")
UNREAD = Fault(Phase.INITIAL, Kind.UNDECODABLE, message="why")
ONCE = RetryOnce(RestartReason.EXPIRED)
GONE = Fault(Phase.OPEN, Kind.HTTP, 404, absent=True)


def frames(*said: Frame) -> Frames:
    return Frames(list(said))


def page(version: str, *names: str, token: str = "") -> Page:
    return Page([listed(name, "98") for name in names], ResourceVersion(version), token)


def test_a_stream_without_a_checkpoint_takes_a_snapshot() -> None:
    assert unlisted(NO_EPOCH, FIRST) == Unlisted(Ground(NO_EPOCH), FIRST, Method.STREAM)


def test_a_stream_with_a_checkpoint_asks_for_the_newest_version_first() -> None:
    """38: on a server that was put back its position would be accepted, and silent for hours."""

    assert resumed(at(5, "100")) == Unproven(GROUND, at(5, "100"))


def test_a_first_page_begins_the_epoch() -> None:
    """55: consumers must know of the gap before they see what is after it."""

    assert step(PAGED, page("100", "a", token="t"), NOW) == (
        Listing(BEGUN, ORIGIN, Method.PAGES, "t", ResourceVersion("100")),
        [RESTARTED, listed("a", "98")],
    )


def test_a_later_page_begins_nothing() -> None:
    assert step(LISTING, page("100", "b", token="t2"), NOW) == (replace(LISTING, token="t2"), [listed("b", "98")])


@pytest.mark.parametrize("version", ["99", "101"])
@pytest.mark.parametrize("token", ["", "t2"])
def test_pages_of_different_versions_are_no_snapshot(version: str, token: str) -> None:
    """Kubernetes' tokens carry one version. Watched from any of these, changes would be lost, or told again."""
    message = f"a page of version {version} in a list of version 100"
    trouble = Trouble(Fault(Phase.PAGE, Kind.UNDECODABLE, message=message), RestartList())

    assert step(LISTING, page(version, "b", token=token), NOW) == (
        Unlisted(BEGUN, AGAIN, Method.PAGES_AGAIN, trouble),
        [],
    )


def test_a_last_page_ends_the_snapshot() -> None:
    """The list's version is where the watch begins, whatever the versions of its objects."""
    here = at(NOW, "100")

    assert step(LISTING, page("100", "b"), NOW) == (Detached(BEGUN, here), [listed("b", "98"), Synced(here)])


def test_an_only_page_is_a_whole_epoch() -> None:
    here = at(NOW, "100")

    assert step(PAGED, page("100"), NOW) == (Detached(BEGUN, here), [RESTARTED, Synced(here)])


@pytest.mark.parametrize("version", ["", "0"])
@pytest.mark.parametrize(("state", "phase"), [(PAGED, Phase.LIST), (LISTING, Phase.PAGE)])
def test_a_list_without_a_version_leads_nowhere(state: State, phase: Phase, version: str) -> None:
    """10: a watch from "any" version would replay a snapshot of unknown age, for ever: say so, and ask rarely."""
    trouble = Trouble(Fault(phase, Kind.UNVERSIONED, message=UNVERSIONED), Degraded())

    assert step(state, page(version, "a"), NOW) == (replace(state, trouble=trouble), [])


def test_an_open_watch_list_has_begun_nothing() -> None:
    """Nothing is known yet: an epoch announced now might be interrupted without having brought a thing."""

    assert step(UNLISTED, Opened(), NOW) == (STREAMING, [])


def test_a_watch_list_lists() -> None:
    """7: its objects are no changes and come in no order of versions, so they move nothing."""

    assert step(STREAMING, frames(added("a", "98"), modified("b", "50")), NOW) == (
        Streaming(BEGUN, ORIGIN, begun=True),
        [RESTARTED, listed("a", "98"), replace(listed("b", "50"), body=modified("b", "50").body)],
    )


def test_the_end_of_a_watch_list_is_a_position() -> None:
    here = at(NOW, "100")
    begun = Streaming(BEGUN, ORIGIN, begun=True)

    assert step(begun, frames(mark("100", ends_initial=True)), NOW) == (Watching(BEGUN, here), [Synced(here)])


def test_what_follows_the_end_of_a_watch_list_is_live() -> None:
    """It may be in the same read."""
    end, here = mark("100", ends_initial=True), at(NOW, "101")

    assert step(STREAMING, frames(end, added("a", "101")), NOW) == (
        Watching(BEGUN, here),
        [RESTARTED, Synced(at(NOW, "100")), added("a", "101")],
    )


@pytest.mark.parametrize("bookmark", [mark("99"), mark(""), mark("", ends_initial=True), mark("0", ends_initial=True)])
def test_other_bookmarks_do_not_end_a_watch_list(bookmark: Frame) -> None:
    """11: and one without a version is no place to watch from."""

    assert step(STREAMING, frames(bookmark), NOW) == (STREAMING, [])


def test_a_delete_in_a_watch_list_breaks_it() -> None:
    """14: whatever the server means by it, its snapshot is not what we think it is."""
    fault = Fault(Phase.INITIAL, Kind.UNDECODABLE, message="DELETED in a snapshot")

    assert step(STREAMING, frames(deleted("a", "99")), NOW) == (
        Unlisted(GROUND, ORIGIN, Method.PAGES, Trouble(fault, RestartList())),
        [],
    )


@pytest.mark.parametrize(
    ("said", "state", "fault", "verdict", "after"),
    [
        (LEADERLESS, STREAMING, replace(NO_LEADER, phase=Phase.INITIAL), FallBack(), ORIGIN),
        (
            LEADERLESS,
            replace(STREAMING, begun=True),
            replace(NO_LEADER, phase=Phase.INITIAL, frames=1),
            RestartList(),
            AGAIN,
        ),
        (
            Undecodable("why", b"{"),
            STREAMING,
            Fault(Phase.INITIAL, Kind.UNDECODABLE, message="why"),
            RestartList(),
            ORIGIN,
        ),
    ],
)
def test_a_watch_list_that_fails_is_no_snapshot(
    said: Frame, state: State, fault: Fault, verdict: FallBack | RestartList, after: Origin
) -> None:
    """12, 13: at its beginning it says that there are no WatchLists; later, that this one is broken."""
    ground = replace(GROUND, method=Method.PAGES) if isinstance(verdict, FallBack) else GROUND

    assert step(state, frames(said), NOW) == (Unlisted(ground, after, Method.PAGES, Trouble(fault, verdict)), [])


def test_trouble_before_a_snapshot_asks_the_same_again() -> None:
    """41: and by the same method, for it says nothing about the method."""

    assert step(PAGED, replace(REFUSED, phase=Phase.LIST), NOW) == (
        replace(PAGED, trouble=Trouble(replace(REFUSED, phase=Phase.LIST), Wait(0))),
        [],
    )


def test_a_watch_list_that_broke_before_it_brought_anything_is_tried_again() -> None:
    fault = replace(REFUSED, phase=Phase.INITIAL)

    assert step(STREAMING, fault, NOW) == (replace(UNLISTED, trouble=Trouble(fault, Wait(0))), [])


def test_pages_become_simpler_with_each_failure() -> None:
    """6: a token cannot expire where there is none."""
    fault = Fault(Phase.PAGE, Kind.HTTP, 410)
    again = Trouble(fault, RestartList())
    methods = [Method.STREAM, Method.PAGES, Method.PAGES_AGAIN, Method.WHOLE]

    assert [step(Unlisted(GROUND, ORIGIN, method), fault, NOW) for method in methods] == [
        (Unlisted(GROUND, ORIGIN, method, again), [])
        for method in [Method.PAGES, Method.PAGES_AGAIN, Method.WHOLE, Method.WHOLE]
    ]


def test_a_broken_list_interrupts_its_epoch() -> None:
    """56: the gap has one reason for each time that it is announced; the old position stays the one that counts."""
    fault = Fault(Phase.PAGE, Kind.HTTP, 410)

    assert step(LISTING, fault, NOW) == (
        Unlisted(BEGUN, AGAIN, Method.PAGES_AGAIN, Trouble(fault, RestartList())),
        [],
    )


def test_an_epoch_is_later_than_one_that_was_interrupted() -> None:
    """Though both begin in the same millisecond."""
    state = Unlisted(BEGUN, AGAIN, Method.WHOLE)
    restarted = Restarted(Epoch(NOW + 1), RestartReason.INTERRUPTED, AGAIN.message, at(5, "90"))

    assert step(state, page("100"), NOW) == (
        Detached(Ground(Epoch(NOW + 1)), at(NOW + 1, "100")),
        [restarted, Synced(at(NOW + 1, "100"))],
    )


@pytest.mark.parametrize("version", ["100", "101", "", "0"])
def test_a_server_that_has_our_position_is_watched(version: str) -> None:
    assert step(UNPROVEN, Newest(ResourceVersion(version)), NOW) == (DETACHED, [])


def test_a_server_that_was_put_back_is_listed() -> None:
    """38: no other client sees it (kubernetes#107457): a watch there is accepted, and silent until it catches up."""
    origin = Origin(RestartReason.REWOUND, "the newest version is 99", at(5, "100", 1))

    assert step(UNPROVEN, Newest(ResourceVersion("99")), NOW) == (Unlisted(GROUND, origin, Method.STREAM), [])


def test_a_server_that_was_put_back_to_before_a_delete_is_listed() -> None:
    """38: it may have the position, which stays before deletes, and have the objects again that consumers do not."""
    here = at(5, "100", 1).after_delete(ResourceVersion("107"))
    origin = Origin(RestartReason.REWOUND, "the newest version is 106", here)
    unproven = Unproven(GROUND, here)

    assert step(unproven, Newest(ResourceVersion("106")), NOW) == (Unlisted(GROUND, origin, Method.STREAM), [])
    assert step(unproven, Newest(ResourceVersion("107")), NOW) == (Detached(GROUND, here), [])


def test_a_connection_proves_nothing() -> None:
    """21, 43: the trouble before it is forgiven by what the stream brings."""
    trouble = Trouble(NO_LEADER, ONCE)

    assert step(replace(DETACHED, trouble=trouble), Opened(), NOW) == (replace(WATCHING, trouble=trouble), [])


def test_changes_move_the_position() -> None:
    """16."""
    events = [added("a", "101"), modified("a", "102")]

    assert step(WATCHING, Frames([*events]), NOW) == (Watching(GROUND, at(5, "102")), events)


def test_deletes_do_not_move_the_position() -> None:
    """Others may share its version, and a watch from there would not say them."""
    events = [added("a", "101"), deleted("b", "102"), deleted("c", "102")]
    here = at(5, "101").after_delete(ResourceVersion("102"))

    assert step(WATCHING, Frames([*events]), NOW) == (Watching(GROUND, here), events)


def test_a_bookmark_moves_the_position() -> None:
    """18."""
    here = at(5, "105")

    assert step(WATCHING, frames(mark("105")), NOW) == (Watching(GROUND, here), [Progress(here)])


def test_a_delete_at_the_position_is_said() -> None:
    """A bookmark may stand between two deletes of one version; whether it was said before, the index knows."""
    here = at(5, "105")

    assert step(WATCHING, frames(deleted("a", "105"), mark("105"), deleted("b", "105")), NOW) == (
        Watching(GROUND, here),
        [deleted("a", "105"), Progress(here), deleted("b", "105")],
    )


def test_what_was_said_at_the_position_is_not_said_again() -> None:
    """26."""

    assert step(WATCHING, frames(added("a", "100")), NOW) == (Watching(GROUND, at(5, "100")), [])


@pytest.mark.parametrize("version", ["", "0"])
def test_a_bookmark_that_says_nothing_changes_nothing(version: str) -> None:
    """19: taken for a version it would be the next watch's start, and mean "any"."""

    assert step(WATCHING, frames(mark(version)), NOW) == (WATCHING, [])


@pytest.mark.parametrize("frame", [added("a", "99"), deleted("a", "99"), mark("99")])
def test_a_version_below_the_position_is_another_history(frame: Frame) -> None:
    """26, 27: the server does not know where we are, so it cannot say what was deleted since. Said so far is kept."""
    message = "version 99 came after 101"
    fault = Fault(Phase.STREAM, Kind.REGRESSION, message=message)
    origin = Origin(RestartReason.REWOUND, message, at(5, "101"))

    assert step(WATCHING, frames(added("b", "101"), frame, added("c", "102")), NOW) == (
        Unlisted(GROUND, origin, Method.STREAM, Trouble(fault, Relist(RestartReason.REWOUND))),
        [added("b", "101")],
    )


def test_a_bookmark_of_a_verified_silence_is_no_change_that_came_late() -> None:
    """42: it says that nothing happened there, which is what the verification found: no relist for that."""
    verified = Watching(GROUND, at(5, "250", 1), since=ResourceVersion("100"))

    assert step(verified, frames(mark("240")), NOW) == (verified, [])


def test_nothing_is_read_behind_an_error() -> None:
    """46: kube-rs reads on, and the next change moves it past the one that was lost."""
    fault = replace(NO_LEADER, frames=1)

    assert step(WATCHING, frames(added("a", "101"), LEADERLESS, added("b", "103")), NOW) == (
        Detached(GROUND, at(5, "101"), Trouble(fault, ONCE)),
        [added("a", "101")],
    )


def test_the_second_failure_at_one_position_costs_it() -> None:
    """34: once passes, twice does not. The marker's message is the server's."""
    before = replace(WATCHING, trouble=Trouble(NO_LEADER, ONCE))
    origin = Origin(RestartReason.EXPIRED, "etcdserver: no leader", at(5, "100", 1))

    assert step(before, frames(LEADERLESS), NOW) == (
        Unlisted(GROUND, origin, Method.STREAM, Trouble(NO_LEADER, ONCE)),
        [],
    )


def test_a_fault_without_words_is_described() -> None:
    """The marker's message must say something to the one who looks for the reason of a gap."""
    fault = Fault(Phase.STREAM, Kind.END, age=0.1)
    before = replace(WATCHING, trouble=Trouble(fault, ONCE))
    origin = Origin(RestartReason.EXPIRED, "stream: end", at(5, "100", 1))

    assert step(before, fault, NOW) == (Unlisted(GROUND, origin, Method.STREAM, Trouble(fault, ONCE)), [])


def test_progress_forgives_the_first_failure() -> None:
    """34: two failures days apart are not twice in a row."""
    before = replace(WATCHING, trouble=Trouble(NO_LEADER, ONCE))

    assert step(before, frames(added("a", "101")), NOW) == (Watching(GROUND, at(5, "101")), [added("a", "101")])


@pytest.mark.parametrize("frame", [deleted("a", "101"), added("a", "100"), mark("100")])
def test_what_a_resumed_watch_says_again_forgives_nothing(frame: Frame) -> None:
    """34: else an event that can never be read, behind a delete, would be tried for ever."""
    trouble = Trouble(NO_LEADER, ONCE)
    state, _ = step(replace(WATCHING, trouble=trouble), frames(frame), NOW)

    assert isinstance(state, Watching)
    assert (state.position.version, state.trouble) == ("100", trouble)


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        (Fault(Phase.STREAM, Kind.NETWORK, frames=2), Resume(at_once=True)),
        (Fault(Phase.STREAM, Kind.SILENT, age=70), Resume(at_once=True)),
        (Fault(Phase.STREAM, Kind.END, age=400), Resume(at_once=True)),
    ],
)
def test_a_broken_or_silent_stream_is_looked_into(fault: Fault, verdict: Resume) -> None:
    """38, 23: a server that was put back breaks connections, and then has nothing to say."""

    assert step(WATCHING, fault, NOW) == (replace(UNPROVEN, trouble=Trouble(fault, verdict)), [])


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        (Fault(Phase.STREAM, Kind.END, frames=3, age=400), Resume(at_once=True)),
        (Fault(Phase.STREAM, Kind.FULL), Resume(at_once=True)),
        (Fault(Phase.OPEN, Kind.HTTP, 429, retry_after=3), Wait(3)),
        (Fault(Phase.OPEN, Kind.HTTP, 403), Degraded()),
    ],
)
def test_other_faults_keep_the_position_and_ask_as_well(fault: Fault, verdict: Resume | Wait | Degraded) -> None:
    """20, 28, 32, 36: whoever restores a backup ends the server in good order, and a load balancer hides the rest."""

    assert step(WATCHING, fault, NOW) == (replace(UNPROVEN, trouble=Trouble(fault, verdict)), [])


@pytest.mark.parametrize(
    ("fault", "verdict"), [(Fault(Phase.STREAM, Kind.END, age=0.1), ONCE), (GONE, Removed())], ids=["once", "gone"]
)
def test_what_a_second_time_decides_is_tried_again_at_once(fault: Fault, verdict: RetryOnce | Removed) -> None:
    """21, 37: a question between the two tries would not be one of them."""

    assert step(WATCHING, fault, NOW) == (replace(DETACHED, trouble=Trouble(fault, verdict)), [])


def test_a_probe_that_fails_is_repeated() -> None:
    """38: it must not be skipped just because the server is busy as it comes back."""
    fault = Fault(Phase.PROBE, Kind.HTTP, 503)

    assert step(UNPROVEN, fault, NOW) == (replace(UNPROVEN, trouble=Trouble(fault, Wait(0))), [])


def test_a_resource_that_is_gone_for_sure_is_an_empty_epoch() -> None:
    """37: consumers learn that all its objects are gone; nothing else would ever tell them."""
    before = replace(DETACHED, trouble=Trouble(GONE, Removed()))
    restarted = Restarted(Epoch(NOW), RestartReason.RESOURCE_REMOVED, "open: http: 404", at(5, "100", 1))

    assert step(before, GONE, NOW) == (
        Over(BEGUN, Trouble(GONE, Removed())),
        [restarted, Synced(at(NOW, "100"), gone=True)],
    )


@pytest.mark.parametrize("state", [UNLISTED, PAGED, LISTING, UNPROVEN, DETACHED])
def test_a_configuration_that_cannot_work_ends_the_stream(state: State) -> None:
    fault = Fault(Phase.LIST, Kind.HTTP, 422, "Invalid")

    assert step(state, fault, NOW) == (Over(getattr(state, "ground", GROUND), Trouble(fault, Fatal())), [])


REPLIES: list[Reply] = [page("100"), Opened(), Newest(ResourceVersion("100")), frames(added("a", "101")), REFUSED]
IMPOSSIBLE = [
    pytest.param(state, reply, id=f"{type(state).__name__} {place} {type(reply).__name__}")
    for place, state in enumerate(STATES)
    for reply in REPLIES
    if not possible(state, reply)
]


@pytest.mark.parametrize(("state", "reply"), IMPOSSIBLE)
def test_a_reply_that_was_not_asked_for_is_our_mistake(state: State, reply: Reply) -> None:
    """Better to start over from the checkpoint than to publish what nobody can explain."""

    with pytest.raises(ProtocolError):
        step(state, reply, NOW)
