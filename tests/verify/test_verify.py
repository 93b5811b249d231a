"""`event-bridge verify` between the sandbox's servers and a real bridge, as people run it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import yaml
from aiokafka import AIOKafkaProducer

from bridge.sandbox.apiserver.server import ApiServer
from bridge.sandbox.broker.server import Broker
from tests.audit.topics import read_topic
from tests.bridge_process import BridgeProcess
from tests.verify.verifying import event_bridge_verify, keys, until_equal, verified

UNREACHABLE = "127.0.0.1:9"
"""The discard service, which nobody runs."""


def config_for(api: ApiServer, bootstrap: str, directory: Path) -> dict[str, Any]:
    kubeconfig = directory / "kubeconfig"
    kubeconfig.write_text(api.kubeconfig_text())
    return {
        "standalone": True,
        "kubernetes": {"kubeconfig": str(kubeconfig)},
        "kafka": {"bootstrapServers": bootstrap},
        "topics": {"partitions": 3},
        "watches": [
            {"resource": "configmaps", "topic": "k8s.{resource}.{namespace}"},
            {"resource": "configmaps", "name": "web", "labelSelector": "app=web", "topic": "k8s.web"},
            {"resource": "configmaps", "name": "kept", "types": ["ADDED", "MODIFIED"], "topic": "k8s.web"},
        ],
    }


def configmap(name: str, namespace: str = "default", **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace, "labels": {"app": name[:3]}}, "data": data}


async def plant(broker: Broker, topic: str, stream: str, key: str) -> None:
    """One of the stream's own changes once more, under a name that the cluster never had."""
    entries = (await read_topic(broker.bootstrap, topic)).entries
    change = next(entry for entry in entries if b"/" in entry.key and json.loads(entry.value)["stream"] == stream)
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
    await producer.start()
    try:
        await producer.send_and_wait(topic, change.value, key.encode(), partition=change.partition)
    finally:
        await producer.stop()


def test_a_bridge_is_found_equal_and_what_it_lacks_is_found(tmp_path: Path) -> None:
    """The proof that an operator can show: nothing differs while it runs, and nothing passes once it is broken."""
    asyncio.run(asyncio.wait_for(_equal_and_not(tmp_path), 200))


async def _equal_and_not(directory: Path) -> None:
    async with ApiServer() as api, Broker() as broker:
        for name in ("web-stays", "web-changes", "web-goes", "db-anew"):
            api.create("configmaps", configmap(name))
        with BridgeProcess(config_for(api, broker.bootstrap, directory), directory) as bridge:
            bridge.start()
            report = await until_equal(bridge.config)
            assert [stream["verdict"] for stream in report["streams"]] == ["equal"] * 3
            assert [stream["inTopic"] for stream in report["streams"]] == [4, 3, 4]
            assert bridge.is_running
            api.create("namespaces", {"metadata": {"name": "later"}})
            api.create("configmaps", configmap("web-later", "later"))
            report = await until_equal(bridge.config)
            assert report["streams"][0]["topics"] == ["k8s.configmaps.default", "k8s.configmaps.later"]
            assert await asyncio.to_thread(bridge.terminate) == 0

        api.create("configmaps", configmap("web-new"))
        api.update("configmaps", configmap("web-changes", some="data"))
        api.delete("configmaps", "default", "web-goes")
        api.delete("configmaps", "default", "db-anew")
        api.create("configmaps", configmap("db-anew"))
        await plant(broker, "k8s.web", "web", "configmaps/default/web-never")

        code, report = await verified(bridge.config, "--grace", "2")
        everything, web, kept = report["streams"]
        new, gone, changed = ("configmaps/default/web-" + end for end in ("new", "goes", "changes"))
        anew, never = "configmaps/default/db-anew", "configmaps/default/web-never"
        assert code == 1
        assert keys(everything) == {"missing": [new], "extra": [gone], "stale": [anew, changed], "lagging": []}
        assert keys(web) == {"missing": [new], "extra": [gone, never], "stale": [changed], "lagging": []}
        assert keys(kept) == {"missing": [new], "extra": [], "stale": [anew, changed], "lagging": []}
        assert (kept["verdict"], kept["unjudged"]) == ("different", ["extra"])

        code, picture, _ = await event_bridge_verify(bridge.config, "--stream", "web", "--grace", "0")
        assert code == 1
        assert f"web: 1 missing\n  {new}\n" in picture
        assert "configmaps" not in picture.splitlines()[1]


def test_a_topic_that_the_file_names_anew_is_asked_about(tmp_path: Path) -> None:
    """Whoever moves a stream and verifies before the bridge has moved it must not be told that all is well."""
    asyncio.run(asyncio.wait_for(_moved(tmp_path), 100))


async def _moved(directory: Path) -> None:
    async with ApiServer() as api, Broker() as broker:
        api.create("configmaps", configmap("web-stays"))
        config = config_for(api, broker.bootstrap, directory)
        with BridgeProcess(config, directory) as bridge:
            bridge.start()
            await until_equal(bridge.config)
            assert await asyncio.to_thread(bridge.terminate) == 0
        config["watches"][1]["topic"] = "k8s.elsewhere"
        bridge.config.write_text(yaml.safe_dump(config))

        code, report = await verified(bridge.config, "--stream", "web")

    assert code == 1
    assert report["streams"][0]["problem"] == (
        "there is no topic k8s.elsewhere. Start the bridge first: it makes its topics."
    )


def test_what_cannot_be_asked_is_no_equality(tmp_path: Path) -> None:
    """A script must not take silence for a proof: 1 where an end is away or nothing was told, 2 where it was typed."""
    asyncio.run(asyncio.wait_for(_unasked(tmp_path), 100))


async def _unasked(directory: Path) -> None:
    async with ApiServer() as api, Broker() as broker:
        config = directory / "bridge.yaml"
        config.write_text(yaml.safe_dump(config_for(api, broker.bootstrap, directory)))
        code, report = await verified(config, "--stream", "web")
        assert (code, report["streams"][0]["verdict"]) == (1, "unknown")
        assert report["streams"][0]["problem"] == (
            "there is no topic k8s.web. Start the bridge first: it makes its topics."
        )
        code, _, errors = await event_bridge_verify(config, "--stream", "nobody")
        told = " ".join(errors.replace("│", " ").split())  # in a frame, whose lines end where a long path lets them
        assert (code, "has no stream nobody" in told) == (2, True)

        config.write_text(yaml.safe_dump(config_for(api, UNREACHABLE, directory)))
        code, report = await verified(config, "--stream", "web")
        assert (code, report["streams"][0]["verdict"]) == (1, "unknown")
        assert UNREACHABLE in report["streams"][0]["problem"]

    code, report = await verified(config, "--stream", "web")
    assert (code, report["streams"][0]["verdict"]) == (1, "unknown")
    assert api.url.removeprefix("http://") in report["streams"][0]["problem"]
