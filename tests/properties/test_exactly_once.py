"""The promise, without Kafka and without a network: what is committed is every change exactly once, whatever crashes.

A transaction is what the sink makes of it: records, the checkpoint that covers them, and the index, or nothing of it.
"""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bridge.model.checkpoint import Checkpoint, Identity, Phase, Restart, Resume, nothing_yet, start
from bridge.model.event import Change, ChangeType, Event, Restarted, Synced
from bridge.model.position import Epoch, ResourceVersion, is_newer
from bridge.model.resource import Selection
from bridge.source.comparison import Comparison
from bridge.source.faults import Fault, Kind
from bridge.source.faults import Phase as Asked
from bridge.source.frames import Frame, Page, Status
from bridge.source.index import Index
from bridge.source.machine import step
from bridge.source.states import (
    Compared,
    Comparing,
    Detached,
    Frames,
    Listing,
    Method,
    Newest,
    Opened,
    Origin,
    Over,
    Quiet,
    Reply,
    Settling,
    Silent,
    State,
    Streaming,
    Unlisted,
    Unproven,
    Watching,
    resumed,
    unlisted,
)
from tests.properties.consumers import Plain, Sweeping
from tests.properties.depth import tries
from tests.source.words import PODS, added, at, deleted, listed, mark, modified

IDENTITY = Identity("uid-1", "prod", Selection(PODS), "k8s.pods")
LIVE = Checkpoint(Epoch(1), Phase.LIVE, at(1, "1"), IDENTITY, {})
MANY = tries(100)
ACTS = st.lists(st.sampled_from(["a", "b", "c", "-a", "-b", "-c", "expire"]), max_size=16)
RANDOM = st.integers(0, 2**32).map(Random)


def history(acts: list[str]) -> list[Change]:
    """Every change, in order: an object is touched (`a`), deleted (`-a`), or all of them expire in one revision."""
    live: dict[str, str] = {}
    changes: list[Change] = []
    for version, act in enumerate(acts, start=2):
        match act:
            case "expire":
                changes += [deleted(name, str(version), uid) for name, uid in live.items()]
                live.clear()
            case "-a" | "-b" | "-c":
                if act[1] in live:
                    changes.append(deleted(act[1], str(version), live.pop(act[1])))
            case name if name in live:
                changes.append(modified(name, str(version), live[name]))
            case name:
                live[name] = f"uid-{name}-{version}"
                changes.append(added(name, str(version), live[name]))
    return changes


class Kafka:
    """What is committed: survives every crash. Owns the log, the checkpoint and the durable index."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.log: list[Event] = []
        self.checkpoint = checkpoint
        self.uids: dict[str, str] = {}

    def commit(self, events: list[Event]) -> None:
        self.log += events
        self.checkpoint = self.checkpoint.after(events, 9)
        for event in events:
            if isinstance(event, Change) and event.type is ChangeType.DELETED:
                del self.uids[event.key]
            elif isinstance(event, Change) and event.fresh:
                self.uids[event.key] = event.uid

    def begin(self) -> tuple[State, Index]:
        """As a successor begins: it knows what is committed, and nothing else."""
        match start(self.checkpoint, IDENTITY, {}):
            case Resume(position):
                state: State = resumed(position)
            case Restart(reason, message, epoch, previous):
                state = unlisted(epoch, Origin(reason, message, previous))
        return state, Index(dict(self.uids))


class Cluster:
    """Serves a history, as far as it has happened. Cuts connections; *expires*: it forgets what was long ago.

    *late*: a watch may say what a LIST knew only after the verification, but before the next one.
    """

    def __init__(self, changes: list[Change], random: Random, *, expires: bool = False, late: bool = False) -> None:
        self._changes = changes
        self._random = random
        self._expires = expires
        self._late = late
        self._sent = 0
        self._cuts = 6
        """So many failures are to come; then all goes well, so that every run has an end."""

    def reply(self, state: State, index: Index) -> Reply | None:
        """None when everything has been said. *index* is what a LIST is compared with."""
        match state:
            case Unlisted(method=Method.STREAM) | Detached() | Silent():
                return self._open(state)
            case Unlisted() | Listing():
                return self._fails() or self._page()
            case Unproven():
                return Newest(ResourceVersion(self._newest()))
            case Streaming():
                return self._cut(Asked.INITIAL) or self._snapshot()
            case Watching():
                return (None if state.since else self._quiet()) or self._cut(Asked.STREAM) or self._more()
            case Comparing():
                return self._fails() or self._compared(state, index)
            case Settling():
                late = self._quiet() if self._late else None
                return late or self._cut(Asked.STREAM) or self._more() or Quiet()
            case Over():
                raise AssertionError("nothing here is fatal")

    def _newest(self) -> str:
        return self._changes[-1].version if self._changes else "1"

    def _chance(self, chance: float) -> bool:
        happens = self._cuts > 0 and self._random.random() < chance
        self._cuts -= happens
        return happens

    def _open(self, state: State) -> Reply:
        if isinstance(state, Detached | Silent):
            if self._expires and self._chance(0.4):
                return Fault(Asked.OPEN, Kind.HTTP, 410)
            seen = state.start if isinstance(state, Detached) else state.position.version
            self._sent = sum(not is_newer(change.version, seen) for change in self._changes)
        return Opened()

    def _cut(self, phase: Asked) -> Reply | None:
        if self._expires and phase is Asked.STREAM and self._chance(0.1):
            return Frames([Status("Status", 410, "Expired")])
        kind = self._random.choice([Kind.NETWORK, Kind.END, Kind.SILENT])
        return Fault(phase, kind, frames=1, age=9) if self._chance(0.2) else None

    def _fails(self) -> Reply | None:
        return Fault(Asked.PAGE, Kind.HTTP, 410) if self._chance(0.2) else None

    def _quiet(self) -> Reply | None:
        """At any moment, not only when everything was said: a stream may be late, or half-open."""
        return Quiet() if self._chance(0.3) else None

    def _compared(self, state: Comparing, index: Index) -> Reply:
        comparison = Comparison(index, state.position.version)
        comparison.add(self._page())
        return Compared(ResourceVersion(self._newest()), differences=comparison.end())

    def _listed(self) -> list[Change]:
        live: dict[str, Change] = {}
        for change in self._changes:
            if change.type is ChangeType.DELETED:
                live.pop(change.key, None)
            else:
                live[change.key] = change
        return [listed(change.key.rpartition("/")[2], change.version, change.uid) for change in live.values()]

    def _page(self) -> Page:
        return Page(self._listed(), ResourceVersion(self._newest()))

    def _snapshot(self) -> Frames:
        self._sent = len(self._changes)
        objects = [added(change.key.rpartition("/")[2], change.version, change.uid) for change in self._listed()]
        return Frames([*objects, mark(self._newest(), ends_initial=True)])

    def _more(self) -> Frames | None:
        """Some more changes, and a bookmark now and then: never between changes that share a version."""
        count = self._random.randint(1, 3)
        frames: list[Frame] = [*self._changes[self._sent : self._sent + count]]
        if not frames:
            return None
        self._sent += len(frames)
        last, following = self._changes[self._sent - 1], self._changes[self._sent :]
        if self._random.random() < 0.3 and not (following and following[0].version == last.version):
            frames.append(mark(last.version))
        return Frames(frames)


def carry(kafka: Kafka, cluster: Cluster, random: Random, crashes: int = 4) -> None:
    """Run until everything is committed, and crash some times on the way, with what is not committed."""
    while True:
        state, index = kafka.begin()
        waiting: list[Event] = []
        while (reply := cluster.reply(state, index)) is not None:
            state, events = step(state, reply, 9)
            waiting += index.apply(events)
            cut = random.randint(0, len(waiting))
            kafka.commit(waiting[:cut])
            del waiting[:cut]
            if crashes and random.random() < 0.2:
                crashes -= 1
                break
        else:
            kafka.commit(waiting)
            return


@MANY
@given(ACTS, RANDOM)
def test_every_change_is_committed_exactly_once_and_in_order(acts: list[str], random: Random) -> None:
    """Deletes that share a version too, wherever transactions are cut, connections break and the bridge crashes."""
    changes, kafka = history(acts), Kafka(LIVE)
    carry(kafka, Cluster(changes, random), random)
    committed = [event for event in kafka.log if isinstance(event, Change)]

    assert [(c.type, c.key, c.uid, c.version) for c in committed] == [
        (c.type, c.key, c.uid, c.version) for c in changes
    ]
    assert not any(isinstance(event, Restarted) for event in kafka.log)


@MANY
@given(ACTS, RANDOM)
def test_after_gaps_too_consumers_have_what_the_cluster_has(acts: list[str], random: Random) -> None:
    """From nothing, over expired positions, broken snapshots and crashes: consumers end where the cluster is."""
    changes, kafka = history(acts), Kafka(nothing_yet(IDENTITY))
    carry(kafka, Cluster(changes, random, expires=True), random)
    truth, plain, sweeping = Plain(), Plain(), Sweeping()
    for change in changes:
        truth.read(change)
    for event in kafka.log:
        plain.read(event)
        sweeping.read(event)

    assert (plain.objects, sweeping.objects, kafka.uids) == (truth.objects,) * 3


@MANY
@given(ACTS, RANDOM)
def test_every_gap_is_announced_and_closed(acts: list[str], random: Random) -> None:
    """Between SYNCED and the next RESTARTED each change of the history is there exactly once: no silent gap."""
    changes, kafka = history(acts), Kafka(nothing_yet(IDENTITY))
    carry(kafka, Cluster(changes, random, expires=True), random)

    assert isinstance(kafka.log[0], Restarted)
    for synced, live in _live_runs(kafka.log):
        told = [(c.type, c.key, c.version) for c in live]
        after = [(c.type, c.key, c.version) for c in changes if is_newer(c.version, synced.position.version)]
        assert told == after[: len(told)]


@MANY
@given(ACTS, RANDOM)
def test_a_watch_that_is_late_costs_an_epoch_and_no_change(acts: list[str], random: Random) -> None:
    """However often it breaks: what a verified position has passed is told, or lies in a gap that is announced."""
    changes, kafka = history(acts), Kafka(LIVE)
    carry(kafka, Cluster(changes, random, late=True), random, crashes=0)
    left: list[Change] = []
    for synced, live in _live_runs([Synced(at(1, "1")), *kafka.log]):
        after = [change for change in changes if is_newer(change.version, synced.position.version)]
        left = after[len(live) :]
        assert _versions(live) == _versions(after)[: len(live)]
    assert left == []


def _versions(changes: list[Change]) -> list[tuple[ChangeType, str, str]]:
    return [(change.type, change.key, change.version) for change in changes]


def _live_runs(log: list[Event]) -> list[tuple[Synced, list[Change]]]:
    runs: list[tuple[Synced, list[Change]]] = []
    listing = True
    for event in log:
        match event:
            case Restarted():
                listing = True
            case Synced():
                listing = False
                runs.append((event, []))
            case Change() if not listing:
                runs[-1][1].append(event)
            case _:
                pass
    return runs
