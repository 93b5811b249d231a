"""`make demo`: a cluster, a bridge that is killed, a gap, and the proof that consumers know what the cluster holds."""

import asyncio
import signal
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tests.audit.followers import follow
from tests.audit.report import Report
from tests.bridge_process import BridgeProcess
from tests.demo.screen import Screen
from tests.servers import build, versions
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker
from tests.servers.kube import Kube, Object
from tests.servers.steps import BuildError

CONFIG = """\
standalone: true
cluster: demo
kafka: {{bootstrapServers: "{bootstrap}"}}
topics: {{partitions: 1}}  # one, so that the screen shows the order of the log
http: {{listen: "127.0.0.1:0"}}
watches:
  - {{resource: pods, topic: k8s.pods, namespaces: [shop]}}
  - {{resource: events, topic: k8s.events, namespaces: [shop]}}
"""
PODS, EVENTS = "/api/v1/namespaces/shop/pods", "/api/v1/namespaces/shop/events"
STREAMS = {"pods.shop": PODS, "events.shop": EVENTS}
LIMIT = 240.0
"""Seconds for the whole story; it takes about 30 on two idle cores."""


def main() -> int:
    """The story; the exit code is 0 only if the proof holds."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(highlight=False)
    try:
        build.build()
        with tempfile.TemporaryDirectory(prefix="event-bridge-demo-") as directory:
            _say(console, f"starting kube-apiserver {versions.KUBERNETES} and Kafka {versions.KAFKA}")
            with Cluster() as cluster, Broker() as broker:
                text = CONFIG.format(bootstrap=broker.bootstrap)
                console.print(Text(text, style="dim"))
                environment = {"KUBECONFIG": str(cluster.kubeconfig)}
                with BridgeProcess(text, Path(directory), environment) as bridge:
                    try:
                        return asyncio.run(_story(console, cluster, broker, bridge))
                    except TimeoutError:
                        print(f"ERROR: not there after {LIMIT:g} s; {bridge.tail()}", file=sys.stderr)
    except BuildError as error:
        print(f"ERROR: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


async def _story(console: Console, cluster: Cluster, broker: Broker, bridge: BridgeProcess) -> int:
    screen = Screen(console)
    async with asyncio.timeout(LIMIT), cluster.kube() as kube:
        await kube.create("/api/v1/namespaces", {"metadata": {"name": "shop"}})
        await kube.create(PODS, pod("cart"))
        await kube.create(PODS, pod("search"))
        _say(console, f"two pods are there; event-bridge run -c {bridge.config.name}")
        bridge.start()
        async with asyncio.TaskGroup() as group:
            following = group.create_task(screen.follow(broker.bootstrap, ["k8s.pods", "k8s.events"]))
            for act in (_changes, _gap, _quiet_end):
                await act(console, cluster, kube, screen, bridge)
            following.cancel()
        return await _proof(console, kube, screen)


async def _changes(console: Console, _: Cluster, kube: Kube, screen: Screen, __: BridgeProcess) -> None:
    for stream in STREAMS:
        await screen.has(stream, "SYNCED", stream)
    _say(console, "a pod is made, one is labelled, one is deleted; an event is told twice")
    await kube.create(PODS, pod("checkout"))
    await kube.patch(f"{PODS}/cart", {"metadata": {"labels": {"tier": "front"}}})
    await kube.delete(f"{PODS}/search")
    await kube.create(EVENTS, event("cart-pulled", 1))
    await kube.patch(f"{EVENTS}/cart-pulled", {"count": 2})
    await screen.has("pods.shop", "DELETED", "pods/shop/search")
    await screen.has("events.shop", "MODIFIED", "events/shop/cart-pulled")


async def _gap(console: Console, cluster: Cluster, kube: Kube, screen: Screen, bridge: BridgeProcess) -> None:
    _say(console, f"kill -9 {bridge.pid}; while it is dead, a pod is deleted, one is made, one is replaced")
    bridge.kill()
    await kube.delete(f"{PODS}/checkout")
    await kube.create(PODS, pod("payment"))
    await kube.delete(f"{PODS}/cart")
    await kube.create(PODS, pod("cart"))
    _say(console, "and the API server forgets all history: every position is 410 Gone now")
    await asyncio.to_thread(cluster.expire_everything)
    _say(console, "the bridge starts again")
    bridge.start()
    for stream in STREAMS:
        await screen.has(stream, "SYNCED", stream, 2)


async def _quiet_end(console: Console, _: Cluster, kube: Kube, screen: Screen, bridge: BridgeProcess) -> None:
    _say(console, "back to every change; kill -9 once more, this time without a gap")
    await kube.patch(f"{PODS}/payment", {"metadata": {"labels": {"tier": "back"}}})
    await screen.has("pods.shop", "MODIFIED", "pods/shop/payment")
    bridge.kill()
    await kube.patch(f"{PODS}/payment", {"metadata": {"labels": {"tier": "front"}}})
    bridge.start()
    await screen.has("pods.shop", "MODIFIED", "pods/shop/payment", 2)
    code = await asyncio.to_thread(bridge.terminate)
    _say(console, f"SIGTERM: the bridge ended with {code}")


async def _proof(console: Console, kube: Kube, screen: Screen) -> int:
    """What two consumers built from the topics, one by markers and one without, against a LIST of the cluster."""
    report, lines, same = Report(), [], True
    for stream, path in STREAMS.items():
        by_markers, plain = follow(screen.records[stream], report)
        listed = await kube.list(path)
        resource = stream.partition(".")[0]
        truth = {
            f"{resource}/shop/{o['metadata']['name']}": (o["metadata"]["uid"], o["metadata"]["resourceVersion"])
            for o in listed
        }
        same = same and by_markers == truth == plain
        lines.append(f"{len(truth)} {resource}")
    records = [(r.key, r.version) for all_of in screen.records.values() for r in all_of if r.is_live]
    doubled = len(records) - len(set(records))
    verdict = "PROOF" if same and not doubled and not report.violations else "BROKEN"
    console.print()
    console.print(
        f"{verdict}: rebuilt from the topics, by markers and without: {', '.join(lines)};"
        f" {'equal to' if same else 'NOT equal to'} the cluster's LIST, uid and version; {doubled} changes doubled.",
        style="bold green" if verdict == "PROOF" else "bold red",
    )
    return 0 if verdict == "PROOF" else 1


def _say(console: Console, text: str) -> None:
    console.print()
    console.print(f"== {text}", style="bold", soft_wrap=True)


def pod(name: str) -> Object:
    return {
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"containers": [{"name": "main", "image": "example.com/main:1"}]},
    }


def event(name: str, count: int) -> Object:
    about = {"apiVersion": "v1", "kind": "Pod", "name": "cart", "namespace": "shop"}
    return {
        "metadata": {"name": name, "namespace": "shop"},
        "involvedObject": about,
        "reason": "Pulled",
        "type": "Normal",
        "count": count,
    }


if __name__ == "__main__":
    sys.exit(main())
