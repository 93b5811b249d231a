"""The joint: one stream from its checkpoint to its commits. Fence, read checkpoint and index, watch, commit.

There is one recovery path, and a crash, a fail-over and a broker's error all take it: throw the producer and the watch
away, start over from what is committed. So nothing in memory is ever trusted after a failure.
"""

import asyncio
import enum
from typing import Protocol

from bridge.abandoned import unless_abandoned
from bridge.config.streams import StreamSpec
from bridge.config.tree import Config
from bridge.model.checkpoint import Began, Identity, Restart, Resume
from bridge.model.resource import Resource, Selection
from bridge.retry import Backoff
from bridge.sink import checkpoints
from bridge.sink.connection import reason_of
from bridge.sink.draft import FULL
from bridge.sink.hanging import Unsettled
from bridge.sink.mask import is_secret, masking
from bridge.sink.writer import Opened, Writer
from bridge.source.api import Api
from bridge.source.buffer import Buffer, Pool
from bridge.source.cluster import cluster_uid
from bridge.source.delay import HEALTHY, Delay
from bridge.source.discovery import Found, NotFound, exists, find
from bridge.source.faults import Fatal, Fault, Reauth, classify
from bridge.source.index import Index
from bridge.source.reader import Reader
from bridge.source.session import Session
from bridge.source.states import Origin, State, Trouble, resumed, unlisted
from bridge.telemetry import (
    BufferChanged,
    CheckpointRead,
    SecretsUnmasked,
    StreamAcquired,
    StreamFailed,
    StreamRecovered,
    StreamStarted,
    StreamStopped,
    TakeoverBegun,
)

QUIET = 0.005
"""Seconds without a change after which waiting for more would only cost latency."""
UNNAMED = "unknown"
"""The cluster's name in the records where the file names none and the uid of kube-system may not be read."""


class Outcome(enum.Enum):
    STOPPED = "stopped"
    """As asked, with everything taken from the buffer committed."""
    FAILED = "failed"
    """For good: the configuration cannot work."""
    AGAIN = "again"
    """The resource is gone, or the producer is worn out: start over, at once."""


class Claim(Protocol):
    """Whether a stream is ours.

    `left` tells for how many seconds, as far as is proven now; `held` waits until it is, beyond doubt; `asked` for a
    request for a new epoch, other than the one that is *known*.
    """

    def left(self) -> float: ...
    async def held(self) -> None: ...
    async def asked(self, known: str) -> None: ...


class Stream:
    """One stream, from `run` until `stop`. Owns the attempt under way: without a buffer there is nothing to commit."""

    def __init__(
        self,
        spec: StreamSpec,
        config: Config,
        session: Session,
        pool: Pool,
        claim: Claim,
        unsettled: Unsettled | None = None,
    ) -> None:
        """*unsettled* outlives this stream where another of its name may follow in this process."""
        self.name = spec.name
        self._spec = spec
        self._config = config
        self._session = session
        self._pool = pool
        self._claim = claim
        self._buffer: Buffer | None = None
        self._stopping = False
        self._task: asyncio.Task[object] | None = None
        self._backoff = Backoff()
        self._delay = Delay(spec.name)
        self._unsettled = unsettled or Unsettled()
        self._failure = ""
        self._carrying: float | None = None
        self._under_way: tuple[Writer, Reader] | None = None

    def adopt(self, config: Config) -> None:
        """Another one that runs the same stream: what can be taken up is, without a pause; what cannot is not asked."""
        self._config = config
        if self._under_way is not None:
            writer, reader = self._under_way
            writer.adopt(config)
            reader.adopt(config.verify_interval)
        if (buffer := self._buffer) is not None:  # its limit may be another one
            BufferChanged(self.name, buffer.size, buffer.limit, buffer.waited).emit()

    def stop(self) -> None:
        """End soon: what is being committed is committed, what was read beyond it is read again next time."""
        self._stopping = True
        if self._buffer is not None:
            self._buffer.close()
        elif self._task is not None:
            self._task.cancel()

    def remind(self) -> None:
        """Say once more why this stream has failed, if it has."""
        if self._failure:
            StreamFailed(self.name, self._failure).emit()

    def _fail(self, why: str) -> None:
        self._failure = why
        self.remind()

    async def run(self) -> Outcome:
        """Carry changes until stopped, whatever happens. Returns STOPPED or FAILED, or is cancelled by `stop`."""
        self._task = asyncio.current_task()
        StreamAcquired(self.name, self._spec.watch.resource, self._config.stale_after(self._spec.watch)).emit()
        while not self._stopping:
            try:
                outcome = await unless_abandoned(self._attempt())
            except Exception as error:  # noqa: BLE001 - one of two places: whatever failed, start over from the checkpoint
                await self._recover(error)
            else:
                if outcome is not Outcome.AGAIN:
                    return outcome
        return Outcome.STOPPED

    async def _recover(self, error: Exception) -> None:
        what = reason_of(error)
        if self._stopping:  # nothing more will be tried, and the wait would only cost the time to end in
            return
        loop = asyncio.get_running_loop()
        if self._carrying is not None and loop.time() - self._carrying > HEALTHY:
            self._backoff.reset()
        self._carrying = None
        first, wait = self._backoff.fresh, self._backoff.next()
        StreamRecovered(self.name, what, round(wait, 2), first).emit()
        self._delay.goes_on(what)
        await asyncio.sleep(wait)

    async def _attempt(self) -> Outcome:
        selection = await self._locate()
        if selection is None:
            return Outcome.STOPPED if self._stopping else Outcome.FAILED
        uid = await cluster_uid(self._session, self._delay)
        watch, name = self._spec.watch, self._config.cluster or uid or UNNAMED
        identity = Identity(uid, name, selection, watch.topic, masking(watch.mask, selection.resource))
        await self._claim.held()  # a producer that is started takes the stream from whoever has it
        TakeoverBegun(self.name).emit()
        opened = await Writer.open(self._config, self._spec, identity, self._unsettled, self._claim.left)
        buffer = self._buffer = Buffer(self._pool)
        try:
            outcome = await self._carry(opened, identity, buffer)
            await opened.writer.close()
        except BaseException:
            await opened.writer.kill()
            raise
        finally:
            self._buffer = self._under_way = None
            buffer.drop()
            BufferChanged(self.name, 0, buffer.limit, 0.0).emit()
        return outcome

    async def _carry(self, opened: Opened, identity: Identity, buffer: Buffer) -> Outcome:
        """Read and write side by side until one of them ends."""
        writer = opened.writer
        self._carrying = asyncio.get_running_loop().time()
        index = Index(opened.index)
        self._started(opened, identity, len(index))
        api = Api(self._session, identity.selection, identity.cluster_uid)
        reader = Reader(self.name, api, _state(opened.start), index, buffer, self._config.verify_interval)
        writer.adopt(self._config)  # it may have changed while the writer was opened
        self._under_way = writer, reader
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(unless_abandoned(reader.run()), name=f"{self.name} reader")
            holding = group.create_task(unless_abandoned(writer.hold()), name=f"{self.name} hold")
            heed = unless_abandoned(self._heed(opened.request, reading, buffer))
            heeding = group.create_task(heed, name=f"{self.name} requests")
            await self._pump(buffer, writer)
            for task in (reading, holding, heeding):
                task.cancel()
        if self._stopping:
            place = writer.checkpoint
            StreamStopped(self.name, place.epoch, place.position.version if place.position else "").emit()
            return Outcome.STOPPED
        return Outcome.AGAIN if reading.cancelled() else self._over(reading.result())

    async def _heed(self, known: str, reading: "asyncio.Task[Trouble]", buffer: Buffer) -> None:
        """A new epoch is asked for: end this attempt. The next one reads the request beside the checkpoint.

        A busy reader would fill the buffer for ever: it ends first, and what it has brought is committed.
        """
        await self._claim.asked(known)
        reading.cancel()
        buffer.close()

    async def _pump(self, buffer: Buffer, writer: Writer) -> None:
        """Commit what the reader brings, until it ends, we stop, or the producer is worn out."""
        interval = self._config.kafka.commit_interval
        while not (buffer.ended or self._stopping or writer.worn_out):
            events = await buffer.take(interval, QUIET, FULL)
            if events and not self._stopping:
                await writer.write(events)
                BufferChanged(self.name, buffer.size, buffer.limit, buffer.waited).emit()
                self._backoff.reset()
                self._delay.over()

    def _over(self, trouble: Trouble) -> Outcome:
        if not isinstance(trouble.verdict, Fatal):
            return Outcome.AGAIN
        watch = self._spec.watch
        selects = trouble.fault.status == 400 and (watch.label_selector or watch.field_selector)
        mend = ". Correct labelSelector or fieldSelector" if selects else ""
        self._fail(f"{trouble.fault}{mend}")
        return Outcome.FAILED

    def _started(self, opened: Opened, identity: Identity, indexed: int) -> None:
        resource = identity.selection.resource
        if identity.mask == "none" and is_secret(resource):
            SecretsUnmasked(self.name).emit()
        place = opened.writer.checkpoint
        version = place.position.version if place.position else ""
        learnt = place.position.time / 1000 if place.position else 0.0
        began = place.began or Began("", "", 0)
        CheckpointRead(
            self.name,
            place.epoch,
            version,
            learnt,
            isinstance(opened.start, Restart),
            began.reason,
            began.message,
            began.time / 1000,
        ).emit()
        topics = dict(place.partitions)
        StreamStarted(self.name, resource.name, topics, place.epoch, version, indexed).emit()

    async def _locate(self) -> Selection | None:
        """What to watch, as soon as the API server serves it; None when the configuration cannot work."""
        watch, backoff, misses = self._spec.watch, Backoff(), 0
        while not self._stopping:
            match await find(self._session, watch.resource):
                case Found(resource):
                    if self._spec.namespace is not None and not resource.namespaced:
                        self._fail(f"{resource.name} have no namespaces: remove `namespaces`")
                        return None
                    return self._selection(resource)
                case NotFound(message):
                    misses += 1
                    known = await self._retractable() if misses > 1 else None
                    if known is not None:
                        return known
                    self._delay.goes_on(message, at_once=True)
                case Fault() as fault:
                    if isinstance(classify(fault), Reauth):
                        self._session.reauthenticate()
                    self._delay.goes_on(fault)
            await asyncio.sleep(backoff.next())
        return None

    def _selection(self, resource: Resource) -> Selection:
        watch = self._spec.watch
        return Selection(resource, self._spec.namespace, watch.label_selector, watch.field_selector)

    async def _retractable(self) -> Selection | None:
        """The selection of the checkpoint, if consumers still believe in objects of a resource that is gone.

        Watching it says the deletes: the API server answers 404, and discovery confirms it.
        """
        saved = await checkpoints.read(self._config, self.name)
        known = saved.checkpoint
        if known is None or known.position is None or not saved.index:
            return None
        selection = known.identity.selection
        return selection if await exists(self._session, selection.resource) is False else None


def _state(start: Resume | Restart) -> State:
    match start:
        case Resume(position):
            return resumed(position)
        case Restart(reason, message, epoch, previous):
            return unlisted(epoch, Origin(reason, message, previous))
