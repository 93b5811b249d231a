"""Conversations over sockets: the sandbox's API server, the bridge's session, api and reader, a clock that jumps.

@ has a b                        pods that are there; `many 1200`: so many of them; `anew a`: as another one by now
@ resume [100]                   start from a checkpoint there, or at the newest version; else: the first start
@ stalled                        Kafka takes nothing until `! take`; `slow`: and the buffer is full after one change
< watch ADDED a:101; CUT         the next answer to a watch: frames as in `play`; PART text, WAIT seconds, CUT, SILENCE
< watch split ADDED a:101        one byte a chunk; `gzip ...`: one member a frame; `nothing`: 200, and the end
< list answer 410 Expired why    a status and its document; `answer 410`: none, `answer 410 printed ...`: on many lines
< list body {"kind": ...}        anything; `shape NAME`: one of the sandbox's; `late 180`: the truth, later
! wait 10                        seconds pass; what else can happen: `create a`, `touch a`, `delete a`, `say FRAME`,
                                 `expire`, `compact`, `close`, `cut`, `save`, `restore`, `forbid VERB`, `grant VERB`,
                                 `down`, `up`
! take                           Kafka takes what there is

The outcome: `!` and `<` are the script's, `?` is what was asked, `>` what consumers are told (`..`: and so on).
In the end a pod is made and waited for: `=` says whether the stream lives, and whether consumers then have what the
cluster has.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from itertools import groupby

from msgspec.structs import replace

from bridge.model.event import Event, Progress, Restarted, RestartReason, Synced
from bridge.model.position import NO_EPOCH, Epoch, Position
from bridge.model.resource import Selection
from bridge.sandbox.apiserver.handler import Request
from bridge.sandbox.apiserver.server import ApiServer
from bridge.source.api import Api
from bridge.source.buffer import Buffer, Pool
from bridge.source.credentials import Fixed
from bridge.source.index import Index
from bridge.source.kubeconfig import Login
from bridge.source.reader import Reader
from bridge.source.session import Session
from bridge.source.states import Origin, State, Trouble, resumed, unlisted
from tests.properties.consumers import Plain
from tests.scenarios.answers import reply
from tests.scenarios.play import frame, show
from tests.source.words import PODS, at

PATH = "/api/v1/pods"
LIFE = 1200.0
"""Seconds in which a stream must show that it lives: more than the longest watch and the longest waits together."""
MOMENT = 0.5
"""Seconds for what happens to be noticed."""
FOLD = 8
"""Lines of a kind in a row that are shown."""
HASTE = 8
"""Requests that one failure may cause at once: the watch again, a probe, discovery, a snapshot by simpler means."""


LIVES = "= lives"
NO_END = (
    'LINE {"type":"BOOKMARK","object":{"kind":"Pod","metadata":'
    '{"resourceVersion":"7","annotations":{"k8s.io/initial-events-end":"false"}}}}'
)
"""What looks like the end of a snapshot, and is none."""


@asynccontextmanager
async def conversation(script: str) -> AsyncIterator["Conversation"]:
    """About to begin, and the same in every run: chance begins anew."""
    chance = random.getstate()
    random.seed(1)
    try:
        async with ApiServer() as server:
            session = Session(Login("test", server.url, Fixed("")))
            try:
                yield Conversation(server, session, script)
            finally:
                await session.close()
    finally:
        random.setstate(chance)


async def play(script: str) -> str:
    async with conversation(script) as talk:
        return await talk.outcome()


NEVER = 1e9
"""Seconds: a stream that verifies itself has conversations of its own."""


class Conversation:
    """Owns the transcript, what consumers make of it, and when something was delivered."""

    def __init__(self, server: ApiServer, session: Session, script: str) -> None:
        self._server = server
        self._transcript: list[str] = []
        self._consumer = Plain()
        self._delivered = [0.0]
        self._epochs: dict[Epoch, Epoch] = {}
        self._asked = 0
        self._saved = server.snapshot()
        self._buffer = Buffer(Pool(1 << 20))
        self._takes = asyncio.Event()
        self._takes.set()
        lines = script.splitlines()
        state = self._beginning([line.split() for line in lines if line.startswith("@")])
        self._acts = [line for line in lines if line.startswith(("<", "!"))]
        index = Index(dict(self._consumer.objects))
        self._reader = Reader("pods", Api(session, Selection(PODS)), state, index, self._buffer, NEVER)

    def _beginning(self, marks: list[list[str]]) -> State:
        state: State = unlisted(NO_EPOCH, Origin(RestartReason.INITIAL))
        for mark in marks:
            match mark:
                case ["@", "has", *names]:
                    for name in names:
                        self._create(name)
                case ["@", "many", count]:
                    for number in range(int(count)):
                        self._create(f"p{number:05}")
                case ["@", "anew", name]:
                    self._server.delete("pods", "default", name)
                    self._create(name, f"uid-{name}-2")
                case ["@", "resume", *version]:
                    place = at(1, "".join(version) or str(self._server.version), 1)
                    self._epochs[place.epoch] = place.epoch
                    state = resumed(place)
                    self._consumer.objects = self._truth()
                case ["@", "stalled" | "slow" as how]:
                    self._takes.clear()
                    self._buffer = Buffer(Pool(1)) if how == "slow" else self._buffer
                case _:
                    raise ValueError(mark)
        return state

    @property
    def requests(self) -> tuple[Request, ...]:
        """All that were made."""
        return self._server.requests

    async def outcome(self) -> str:
        """All of it, and what came of it."""
        while self._acts and self._acts[0].startswith("<"):  # before the first question
            await self._act(self._acts.pop(0))
        reading, taking = asyncio.create_task(self._reader.run()), asyncio.create_task(self._take())
        try:
            for act in self._acts:
                await self._act(act)
            end = await self._end(reading)
        finally:
            reading.cancel()
            taking.cancel()
            await asyncio.wait({reading, taking})
        self._judge_haste()
        self._judge_versions()
        return "\n".join([*_folded(self._transcript), end, ""])

    async def _act(self, act: str) -> None:
        self._note_requests()
        self._transcript.append(act)
        match act.split(" ", 2):
            case ["<", "watch" | "list" as what, said]:
                self._server.answer(PATH, reply(said), watch=what == "watch")
            case ["!", "wait", seconds]:
                await asyncio.sleep(float(seconds))
            case ["!", "down"]:
                await self._server.close()
            case ["!", "up"]:
                await self._server.start()
            case ["!", what, *more]:
                self._happens[what](*more)
                await asyncio.sleep(MOMENT)
            case _:
                raise ValueError(act)

    @property
    def _happens(self) -> dict[str, Callable[..., object]]:
        server = self._server
        return {
            "create": self._create,
            "touch": lambda name: server.update("pods", {"metadata": {"name": name, "uid": f"uid-{name}"}}),
            "delete": lambda name: server.delete("pods", "default", name),
            "say": lambda said: server.say(PATH, frame(said) + b"\n"),
            "close": server.close_watches,
            "cut": lambda: server.close_watches(cut=True),
            "save": self._save,
            "restore": lambda: server.rewind(self._saved),
            "forbid": lambda verb: server.access.forbid(verb, "pods"),
            "grant": lambda verb: server.access.allow(verb, "pods"),
            "expire": server.expire_everything,
            "compact": server.compact,
            "take": self._takes.set,
        }

    def _save(self) -> None:
        self._saved = self._server.snapshot()

    def _create(self, name: str, uid: str = "") -> None:
        self._server.create("pods", {"metadata": {"name": name, "uid": uid or f"uid-{name}"}})

    def _truth(self) -> dict[str, str]:
        return {f"pods/default/{pod['metadata']['name']}": pod["metadata"]["uid"] for pod in self._server.list("pods")}

    async def _take(self) -> None:
        """Consumers, behind a Kafka that takes all at once."""
        while True:
            await self._takes.wait()
            events = await self._buffer.take(0, 0, 1 << 20)
            self._note_requests()
            self._delivered.append(asyncio.get_running_loop().time())
            for event in events:
                self._transcript.append(f"> {show(self._renamed(event))}")
                self._consumer.read(event)
            if self._buffer.ended:
                return

    def _renamed(self, event: Event) -> Event:
        """With epochs that are counted; the bridge names them by the clock on the wall."""
        match event:
            case Restarted(epoch=epoch, previous=previous):
                self._epochs[epoch] = Epoch(len(self._epochs) + 1)
                return replace(event, epoch=self._epochs[epoch], previous=previous and self._counted(previous))
            case Synced(position) | Progress(position):
                return replace(event, position=self._counted(position))
            case _:
                return event

    def _counted(self, position: Position) -> Position:
        return replace(position, epoch=self._epochs[position.epoch])

    def _note_requests(self) -> None:
        requests = self._server.requests
        self._transcript += [f"? {said(request)}" for request in requests[self._asked :]]
        self._asked = len(requests)

    async def _end(self, reading: asyncio.Task[Trouble]) -> str:
        """The stream must live: what happens now is told, soon or after its longest wait."""
        self._takes.set()
        self._server.script.clear()
        self._create("last")
        until = asyncio.get_running_loop().time() + LIFE
        while "pods/default/last" not in self._consumer.objects and asyncio.get_running_loop().time() < until:
            if reading.done():
                return f"= over: {reading.result().fault}"
            await asyncio.sleep(1)
        self._note_requests()
        if "pods/default/last" not in self._consumer.objects:
            return "= silent"
        return LIVES if self._consumer.objects == self._truth() else f"= other than the cluster: {self._truth()}"

    def _judge_haste(self) -> None:
        """At most a request a second while nothing is delivered."""
        now = asyncio.get_running_loop().time()
        times = [request.time for request in self._server.requests]
        for since, until in zip(self._delivered, [*self._delivered[1:], now], strict=True):
            asked = sum(since < time <= until for time in times)
            assert asked <= HASTE + (until - since), f"{asked} requests in {until - since:.1f} s"

    def _judge_versions(self) -> None:
        """Never 0, which is anything from a cache; and none beside a token, which servers refuse (kubernetes#85221)."""
        for query in [request.query for request in self._server.requests]:
            assert query.get("resourceVersion") != "0"
            assert not ("continue" in query and query.keys() & {"resourceVersion", "resourceVersionMatch"})


def said(request: Request) -> str:
    """A request, as far as it matters here."""
    query = request.query
    if request.path != PATH:
        return request.path
    if "watch" in query:
        return "watch list" if "sendInitialEvents" in query else f"watch {query['resourceVersion']}"
    if "continue" in query:
        return "list on"
    return {"1": "newest", "500": "list"}.get(query.get("limit", ""), "list whole")


def _folded(lines: list[str]) -> Iterable[str]:
    """Without the middle of long stretches: what was asked a hundred times, what was listed a thousand times."""
    for mark, group in groupby(lines, lambda line: line[0]):
        stretch = list(group)
        if mark in "?>" and len(stretch) > FOLD:
            stretch[FOLD // 2 : -FOLD // 2] = [f".. {len(stretch) - FOLD} more"]
        yield from stretch
