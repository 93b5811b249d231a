"""A cluster that lives: deployments are rolled out and scaled, jobs run and end, containers crash, events tell of it.

Pure but for `run`: the same seed and the same times give the same operations, whatever they are applied to.
"""

import asyncio
import random
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator

from bridge.sandbox import bodies
from bridge.sandbox.apiserver.server import ApiServer
from bridge.sandbox.bodies import Object
from bridge.sandbox.operations import Create, Delete, Operation, Update, apply

Story = Iterator[list[Operation]]
"""Something that happens bit by bit, beside others."""
Key = tuple[str, str, str]
"""Resource, namespace, name."""

APPS = {"shop": ("cart", "catalog", "checkout", "search"), "payments": ("billing", "ledger"), "mail": ("mailer",)}
"""Deployments by namespace."""
JOBS = "batch"
NODES = 4
STORIES = 5
"""That go on at once: enough for changes to overlap, few enough to be followed by eye."""
EVENTS = 300
"""That are kept. Real ones go after an hour (`--event-ttl`); a lively demo would have too many by then."""
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"


class Life:
    """Owns its picture of the cluster and the stories that are going on in it. *now* is seconds since 1970."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  # a story, no secret
        self._known: dict[Key, Object] = {}
        self._stories: list[Story] = []
        self._events: deque[Key] = deque()
        self._now = 0.0
        self._jobs = 0

    def begin(self, now: float) -> list[Operation]:
        """Nodes, namespaces, and what is deployed from the first day on, its pods not running yet."""
        self._now = now
        made: list[Operation] = []
        for number in range(NODES):
            name = f"worker-{number + 1}"
            made.append(self._create("nodes", bodies.node(name, self._uid(), number, now)))
        made += [self._create("namespaces", bodies.namespace(home, self._uid(), now)) for home in (*APPS, JOBS)]
        for home, names in APPS.items():
            for name in names:
                body = bodies.deployment(home, name, self._uid(), self._random.randint(2, 4), now)
                made.append(self._create("deployments.apps", body))
                self._stories += [self._pod(home, name) for _ in range(body["spec"]["replicas"])]
        return made

    def step(self, now: float) -> list[Operation]:
        """What happens next: never nothing."""
        self._now = now
        while True:
            while len(self._stories) < STORIES:
                self._stories.append(self._new_story())
            number = self._random.randrange(len(self._stories))
            operations = next(self._stories[number], None)
            if operations is None:
                del self._stories[number]
            elif operations:
                return [*operations, *self._old_events()]

    def lost(self, operation: Operation) -> None:
        """Somebody else has deleted what *operation* was about, or made it before: what is told of it ends."""
        match operation:
            case Create(resource, body) | Update(resource, body):
                self._known.pop(_key(resource, body), None)
            case Delete(resource, namespace, name):
                self._known.pop((resource, namespace, name), None)

    # Stories

    def _new_story(self) -> Story:
        home = self._random.choice(list(APPS))
        name = self._random.choice(APPS[home])
        match self._random.choices(("job", "rollout", "scale", "crash", "heartbeat"), (40, 10, 15, 15, 20))[0]:
            case "job":
                return self._job()
            case "rollout":
                return self._rollout(home, name)
            case "scale":
                return self._scale(home, name)
            case "crash":
                return self._crash(home, name)
            case _:
                return self._heartbeat()

    def _pod(self, home: str, app: str) -> Story:
        """A pod of a deployment comes up."""
        owner = self._known.get(("deployments.apps", home, app))
        if owner is None:
            return
        image = owner["spec"]["template"]["spec"]["containers"][0]["image"]
        controller = {"apiVersion": "apps/v1", "kind": "Deployment", "name": app, "uid": owner["metadata"]["uid"]}
        name = f"{app}-{self._suffix(9)}-{self._suffix(5)}"
        body = bodies.pod(home, name, self._uid(), image, controller | {"controller": True}, self._now)
        yield [self._create("pods", body)]
        yield from self._starts(("pods", home, name), image)
        yield self._recount(home, app)

    def _starts(self, key: Key, image: str) -> Story:
        to = f"worker-{self._random.randint(1, NODES)}"
        yield self._change(key, lambda body: bodies.scheduled(body, to, self._now))
        yield self._tell(key, "Scheduled", f"Successfully assigned {key[1]}/{key[2]} to {to}")
        yield self._tell(key, "Pulled", f'Container image "{image}" already present on machine')
        address = f"10.{to[-1]}.0.{self._random.randint(2, 250)}"
        yield self._change(key, lambda body: bodies.running(body, address, self._now))
        yield self._tell(key, "Started", "Container started")

    def _ends(self, key: Key) -> Story:
        if key not in self._known or "deletionTimestamp" in self._known[key]["metadata"]:
            return
        yield self._change(key, lambda body: bodies.terminating(body, self._now))
        yield self._tell(key, "Killing", "Stopping container")
        yield self._delete(key)

    def _job(self) -> Story:
        """A pod that does its work and is cleared away."""
        self._jobs += 1
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": f"report-{self._jobs}", "uid": self._uid()}
        image, name = "registry.example.com/report:2.1.0", f"report-{self._jobs}-{self._suffix(5)}"
        yield [self._create("pods", bodies.pod(JOBS, name, self._uid(), image, owner, self._now))]
        key = ("pods", JOBS, name)
        yield from self._starts(key, image)
        yield self._change(key, lambda body: bodies.succeeded(body, self._now))
        yield self._tell(key, "Completed", "Job completed")
        yield from self._ends(key)

    def _rollout(self, home: str, app: str) -> Story:
        """A new image: pods are replaced one by one."""
        key = ("deployments.apps", home, app)
        version = f"{self._random.randint(1, 3)}.{self._random.randint(0, 9)}.{self._random.randint(0, 20)}"
        yield self._change(key, lambda body: _with_image(body, f"registry.example.com/{app}:{version}"))
        for old in self._running(home, app):
            yield self._tell(key, "ScalingReplicaSet", f"Scaled up replica set {app} to {version}")
            yield from self._pod(home, app)
            yield from self._ends(old)
            yield self._recount(home, app)

    def _scale(self, home: str, app: str) -> Story:
        key = ("deployments.apps", home, app)
        wanted = self._random.randint(1, 5)
        yield self._change(key, lambda body: bodies.asked(body, replicas=wanted))
        yield self._tell(key, "ScalingReplicaSet", f"Scaled replica set {app} to {wanted}")
        for _ in range(wanted - len(self._pods(home, app))):
            yield from self._pod(home, app)
        for old in self._running(home, app)[wanted:]:
            yield from self._ends(old)
        yield self._recount(home, app)

    def _crash(self, home: str, app: str) -> Story:
        """A container fails a few times and recovers: one event, counted up."""
        pods = self._running(home, app)
        if not pods:
            return
        key = self._random.choice(pods)
        times = self._random.randint(1, 4)
        said: list[Operation] = []
        for restarts in range(1, times + 1):
            yield self._fail(key, restarts)
            said = self._again(said) or self._tell(key, "BackOff", "Back-off restarting failed container")
            yield said
        yield self._change(key, lambda body: bodies.running(body, body["status"].get("podIP", ""), self._now, times))
        yield self._recount(home, app)

    def _heartbeat(self) -> Story:
        for number in range(1, NODES + 1):
            yield self._change(("nodes", "", f"worker-{number}"), lambda body: bodies.heard(body, self._now))

    # What stories are made of: an operation each, or none if what it is about is gone

    def _create(self, resource: str, body: Object) -> Operation:
        self._known[_key(resource, body)] = body
        return Create(resource, body)

    def _change(self, key: Key, change: Callable[[Object], Object]) -> list[Operation]:
        old = self._known.get(key)
        if old is None:
            return []
        new = self._known[key] = change(old)
        return [Update(key[0], new)] if new != old else []

    def _fail(self, key: Key, restarts: int) -> list[Operation]:
        return self._change(key, lambda body: bodies.crashed(body, self._now, restarts))

    def _delete(self, key: Key) -> list[Operation]:
        return [Delete(*key)] if self._known.pop(key, None) is not None else []

    def _tell(self, key: Key, reason: str, message: str) -> list[Operation]:
        about = self._known.get(key)
        if about is None:
            return []
        kind = {"pods": "Pod", "deployments.apps": "Deployment"}[key[0]]
        name = f"{key[2]}.{self._random.getrandbits(64):016x}"
        body = bodies.event(bodies.reference(kind, about), name, self._uid(), reason, message, self._now)
        self._events.append(_key("events", body))
        return [self._create("events", body)]

    def _again(self, said: list[Operation]) -> list[Operation]:
        match said:
            case [Create("events" as resource, body) | Update("events" as resource, body)]:
                return self._change(_key(resource, body), lambda old: bodies.repeated(old, self._now))
            case _:
                return []

    def _recount(self, home: str, app: str) -> list[Operation]:
        ready = len(self._running(home, app))
        return self._change(("deployments.apps", home, app), lambda body: bodies.counted(body, ready))

    def _pods(self, home: str, app: str) -> list[Key]:
        """Oldest first, without those that are going."""
        return [
            key
            for key, body in self._known.items()
            if key[:2] == ("pods", home)
            and body["metadata"]["labels"]["app"] == app
            and "deletionTimestamp" not in body["metadata"]
        ]

    def _running(self, home: str, app: str) -> list[Key]:
        return [key for key in self._pods(home, app) if self._known[key]["status"]["phase"] == "Running"]

    def _old_events(self) -> list[Operation]:
        gone: list[Operation] = []
        while len(self._events) > EVENTS:
            gone += self._delete(self._events.popleft())
        return gone

    def _uid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def _suffix(self, length: int) -> str:
        return "".join(self._random.choices(_SUFFIX, k=length))


async def run(life: Life, server: ApiServer, rate: float, clock: Callable[[], float] = time.time) -> None:
    """Let *life* happen to *server* for ever, at about *rate* operations a second. Others may write there as well.

    What is there from the first day on is there at once.
    """
    loop = asyncio.get_running_loop()
    operations, cost, due = life.begin(clock()), 0.0, loop.time()
    while True:
        for operation in operations:
            if not apply(operation, server):
                life.lost(operation)
        now = loop.time()
        due = max(due + len(operations) * cost, now)
        await asyncio.sleep(due - now)
        operations, cost = life.step(clock()), 1 / rate


def _key(resource: str, body: Object) -> Key:
    return resource, body["metadata"].get("namespace", ""), body["metadata"]["name"]


def _with_image(body: Object, image: str) -> Object:
    (container,) = body["spec"]["template"]["spec"]["containers"]
    template = body["spec"]["template"]
    spec = template["spec"] | {"containers": [container | {"image": image}]}
    return bodies.asked(body, template=template | {"spec": spec})
