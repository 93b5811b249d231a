"""What holds whatever a server says. The machine, the index and the checkpoint, driven by possible replies."""

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bridge.model.checkpoint import Checkpoint, Identity, Phase, nothing_yet
from bridge.model.event import Change, ChangeType, Event, Progress, Restarted, RestartReason, Synced
from bridge.model.position import NO_EPOCH, Position, is_newer
from bridge.model.resource import Selection
from bridge.source.index import Index
from bridge.source.machine import step
from bridge.source.states import Detached, Origin, Over, Positioned, State, Unlisted, Unproven, Watching, unlisted
from tests.properties.consumers import Plain, Sweeping
from tests.properties.depth import tries
from tests.properties.server import Server
from tests.source.words import PODS

IDENTITY = Identity("uid-1", "prod", Selection(PODS), "k8s.pods")
RANDOM = st.integers(0, 2**32).map(Random)
MANY = tries(100)


def conversation(random: Random) -> list[tuple[State, list[Event]]]:
    """Each state, and what consumers were told on the way to it. ProtocolError or an assertion would be our mistake."""
    server, index = Server(random), Index({})
    state: State = unlisted(NO_EPOCH, Origin(RestartReason.INITIAL))
    told: list[tuple[State, list[Event]]] = []
    for _ in range(60):
        if isinstance(state, Over):
            break
        state, events = step(state, server.reply(state), random.randint(0, 100))  # a clock that jumps both ways
        told.append((state, index.apply(events)))
    return told


def said(random: Random) -> list[Event]:
    return [event for _, events in conversation(random) for event in events]


@MANY
@given(RANDOM)
def test_epochs_grow_whatever_the_clock_does(random: Random) -> None:
    """A consumer ignores what is of an older epoch than its own; clocks on the wall are set back, too."""
    epochs = [event.epoch for event in said(random) if isinstance(event, Restarted)]

    assert all(a < b for a, b in pairwise(epochs))


@MANY
@given(RANDOM)
def test_an_epoch_is_a_beginning_a_snapshot_an_end_and_changes(random: Random) -> None:
    """55: the grammar that consumers rely on; nothing is inferred and nothing listed but between the two markers."""
    listing: Restarted | None = None
    for event in said(random):
        match event:
            case Restarted():
                listing = event
            case Synced(position):
                assert listing is not None
                assert position.epoch == listing.epoch
                listing = None
            case Progress():
                assert listing is None
            case Change(type=ChangeType.LISTED) | Change(inferred=True):
                assert listing is not None
            case Change():
                assert listing is None


@MANY
@given(RANDOM)
def test_every_gap_has_exactly_one_reason(random: Random) -> None:
    """56: whoever looks for the cause of a gap finds it once, and a gap that is not closed is said to go on."""
    wanted: RestartReason | None = RestartReason.INITIAL
    for state, events in conversation(random):
        for event in events:
            if isinstance(event, Restarted):
                assert event.reason is (RestartReason.RESOURCE_REMOVED if _is_gone(events) else wanted)
                wanted = RestartReason.INTERRUPTED
        if isinstance(state, Unproven | Detached | Watching):
            wanted = None
        elif isinstance(state, Unlisted):
            assert wanted in (None, RestartReason.INTERRUPTED, state.origin.reason)
            wanted = state.origin.reason


def _is_gone(events: list[Event]) -> bool:
    return any(isinstance(event, Synced) and event.gone for event in events)


@MANY
@given(RANDOM)
def test_no_delete_is_inferred_of_what_was_not_known(random: Random) -> None:
    """52: and none of what the snapshot brought: consumers would lose what is alive."""
    plain = Plain()
    listed: set[str] = set()
    events = said(random)
    for event, following in zip(events, [*events[1:], None], strict=True):
        match event:
            case Restarted():
                listed = set()
            case Change(inferred=True, key=key, uid=uid):
                assert plain.objects.get(key) == uid
                assert key not in listed or (isinstance(following, Change) and following.key == key)  # made anew
            case Change(type=ChangeType.LISTED, key=key):
                listed.add(key)
            case _:
                pass
        plain.read(event)


@MANY
@given(RANDOM)
def test_within_an_epoch_the_position_never_goes_back(random: Random) -> None:
    """Else a crash would publish again what was published before, out of order."""
    places = [state.position for state, _ in conversation(random) if isinstance(state, Positioned)]

    assert all(not _is_behind(b, a) for a, b in pairwise(places))


def _is_behind(later: Position, earlier: Position) -> bool:
    return later.epoch < earlier.epoch or (later.epoch == earlier.epoch and is_newer(earlier.version, later.version))


@MANY
@given(RANDOM)
def test_live_changes_are_newer_than_all_before_them_in_their_epoch(random: Random) -> None:
    """Consumers may drop what is not; only deletes may share a version."""
    last = ""
    for event in said(random):
        match event:
            case Restarted():
                last = ""
            case Synced(position) | Progress(position):
                assert not is_newer(last, position.version)
                last = position.version
            case Change(type=ChangeType.ADDED | ChangeType.MODIFIED, version=version):
                assert is_newer(version, last)
                last = version
            case Change():
                pass


@MANY
@given(RANDOM)
def test_consumers_with_and_without_markers_agree(random: Random) -> None:
    """The promise of inferred deletes: the same objects, the same uids, whenever no snapshot is under way."""
    plain, sweeping = Plain(), Sweeping()
    listing = False
    for event in said(random):
        plain.read(event)
        sweeping.read(event)
        listing = isinstance(event, Restarted) or (listing and not isinstance(event, Synced))
        assert listing or plain.objects == sweeping.objects


@MANY
@given(RANDOM)
def test_the_durable_index_is_what_consumers_believe_in(random: Random) -> None:
    """It is written at the first sight and at the delete of an object only, and yet knows all of them."""
    plain, durable = Plain(), Plain()
    for event in said(random):
        plain.read(event)
        if isinstance(event, Change) and (event.fresh or event.type is ChangeType.DELETED):
            durable.read(event)

    assert durable.objects == plain.objects


@MANY
@given(RANDOM)
def test_the_checkpoint_is_where_the_machine_is(random: Random) -> None:
    """Resuming from Kafka and going on in memory must be the same."""
    checkpoint = nothing_yet(IDENTITY)
    for now, (state, events) in enumerate(conversation(random)):
        checkpoint = checkpoint.after(events, now)
        if isinstance(state, Positioned):
            position = checkpoint.position
            assert position is not None
            assert checkpoint.phase is Phase.LIVE
            assert (position.epoch, position.version) == (state.position.epoch, state.position.version)


@MANY
@given(RANDOM, st.lists(st.integers(0, 60), max_size=5))
def test_a_checkpoint_is_the_same_in_one_piece_and_in_many(random: Random, cuts: list[int]) -> None:
    """Where transactions are cut is a matter of time, and must not matter to anything else."""
    events = said(random)
    places = [0, *sorted(min(cut, len(events)) for cut in cuts), len(events)]
    whole: Checkpoint = nothing_yet(IDENTITY).after(events, 9)
    pieces = nothing_yet(IDENTITY)
    for a, b in pairwise(places):
        pieces = pieces.after(events[a:b], 9)

    assert pieces == whole
