"""What the other tests rely on, seen on the servers themselves."""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker
from tests.servers.kube import Kube, Object, RefusedError

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
EVENTS = "/api/v1/namespaces/default/events"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture(scope="module")
def troubled(servers: Path) -> Iterator[Cluster]:
    """For the tests that restart it; the shared one goes on."""
    assert servers.is_dir()
    with Cluster() as cluster:
        yield cluster


async def test_an_expired_position_is_410(troubled: Cluster) -> None:
    async with troubled.kube() as kube:
        await kube.create(CONFIGMAPS, _configmap("a"))
        await kube.create(EVENTS, _event("a"))
        last = await kube.version(CONFIGMAPS)

        await asyncio.to_thread(troubled.expire_everything, kill=True)

        for path in (CONFIGMAPS, EVENTS, CRDS):
            first = await _first(kube, path, last)
            assert (first["type"], first["object"]["code"], first["object"]["reason"]) == ("ERROR", 410, "Expired")


async def test_compaction_expires_events_and_nothing_else(cluster: Cluster) -> None:
    """Events are read from etcd, all else from the API server's memory."""
    async with cluster.kube() as kube:
        before = await kube.version(EVENTS)
        await kube.create(CONFIGMAPS, _configmap("compacted"))
        await kube.create(EVENTS, _event("compacted"))

        await asyncio.to_thread(cluster.compact)

        assert (await _first(kube, EVENTS, before))["object"]["code"] == 410
        assert (await _first(kube, CONFIGMAPS, before))["object"]["metadata"]["name"] == "compacted"


async def test_an_orderly_restart_ends_open_watches(troubled: Cluster) -> None:
    """And does not wait for them a minute."""
    async with troubled.kube() as kube, kube.watch(CONFIGMAPS) as events:
        loop = asyncio.get_running_loop()
        began = loop.time()
        restart = asyncio.create_task(asyncio.to_thread(troubled.restart_api))
        seen = [event async for event in events]
        await restart

        assert loop.time() - began < 40
        assert {event["type"] for event in seen} <= {"ADDED", "BOOKMARK"}
        assert await kube.get("/version")


async def test_a_rewind_takes_versions_and_objects_back(troubled: Cluster) -> None:
    async with troubled.kube() as kube:
        await kube.create(CONFIGMAPS, _configmap("kept"))
        snapshot = await asyncio.to_thread(troubled.snapshot)
        for number in range(50):
            await kube.create(CONFIGMAPS, _configmap(f"lost-{number}"))
        before = await kube.version(CONFIGMAPS)

        await asyncio.to_thread(troubled.rewind, snapshot)

        assert await kube.version(CONFIGMAPS) < before
        names = {item["metadata"]["name"] for item in await kube.list(CONFIGMAPS)}
        assert "kept" in names
        assert not any(name.startswith("lost") for name in names)


async def test_a_service_account_may_do_what_its_role_says_and_no_more(cluster: Cluster) -> None:
    token = await asyncio.to_thread(cluster.token_for, "team-rbac", "reader")
    async with cluster.kube() as admin, cluster.kube(token) as reader:
        pods, secrets = (f"/api/v1/namespaces/team-rbac/{resource}" for resource in ("pods", "secrets"))
        with pytest.raises(
            RefusedError, match=r'403 Forbidden: .*"system:serviceaccount:team-rbac:reader" cannot list'
        ):
            await reader.list(pods)

        roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/team-rbac"
        await admin.create(f"{roles}/roles", _role("reader", "pods"))
        await admin.create(f"{roles}/rolebindings", _binding("reader", "team-rbac"))

        assert await _in_a_while(lambda: reader.list(pods)) == []
        with pytest.raises(RefusedError, match="403 Forbidden"):
            await reader.list(secrets)


async def test_a_kubeconfig_carries_its_token(cluster: Cluster) -> None:
    token = await asyncio.to_thread(cluster.token_for, "team-kubeconfig", "bot")
    path = cluster.kubeconfig_for(token)

    assert token in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


async def test_a_custom_resource_can_be_written_and_watched(cluster: Cluster) -> None:
    async with cluster.kube() as kube:
        await kube.create(CRDS, _definition())
        widgets = "/apis/example.com/v1/namespaces/default/servertests"
        await _in_a_while(lambda: kube.list(widgets))
        version = await kube.version(widgets)  # from an older one it is 410: the server knows no history of it

        await kube.create(widgets, {"apiVersion": "example.com/v1", "kind": "ServerTest", "metadata": {"name": "w"}})

        assert (await _first(kube, widgets, version))["object"]["metadata"]["name"] == "w"


async def test_a_killed_broker_keeps_what_it_acknowledged(new_broker: Callable[[], Broker]) -> None:
    broker = await asyncio.to_thread(new_broker)
    await _make_topic(broker, "kept")
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all") as producer:
        for number in range(100):
            await producer.send_and_wait("kept", str(number).encode())

    await asyncio.to_thread(broker.restart, kill=True)

    assert await _read(broker, "kept") == [str(number) for number in range(100)]


async def test_transactions_show_or_vanish_as_one(broker: Broker) -> None:
    await _make_topic(broker, "transactions")
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap, transactional_id="test-servers") as producer:
        for outcome in (producer.commit_transaction, producer.abort_transaction, producer.commit_transaction):
            await producer.begin_transaction()
            for number in range(3):
                await producer.send_and_wait("transactions", f"{outcome.__name__} {number}".encode())
            await outcome()

    assert await _read(broker, "transactions") == [f"commit_transaction {number}" for number in (0, 1, 2, 0, 1, 2)]


async def test_topics_are_not_made_by_asking_for_them(broker: Broker) -> None:
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
        assert "never-made" not in await _topics(broker)
        await producer.client.force_metadata_update()
    assert "never-made" not in await _topics(broker)


def test_a_server_runs_once(cluster: Cluster) -> None:
    with pytest.raises(AssertionError, match="kube-apiserver runs already"):
        cluster.start_api()
    assert subprocess.run(["kill", "-0", str(cluster.process.pid)], check=False).returncode == 0


async def _first(kube: Kube, path: str, version: int) -> Object:
    """The first event of a watch from a version on."""
    async with asyncio.timeout(20), kube.watch(path, resourceVersion=str(version)) as events:
        return await anext(events)


async def _in_a_while(act: Callable[[], Awaitable[list[Object]]]) -> list[Object]:
    """Once the server has taken notice of a new role or definition: it follows its own objects by watches."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await act()
            except RefusedError as error:
                if error.status not in {403, 404, 429}:  # 429: its storage is being initialized
                    raise
            await asyncio.sleep(0.1)


async def _make_topic(broker: Broker, name: str) -> None:
    """Returns when it is known: a topic just made is unknown to its own broker for some milliseconds."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
        async with asyncio.timeout(20):
            while name not in await admin.list_topics():
                pass
    finally:
        await admin.close()


async def _topics(broker: Broker) -> list[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        topics: list[str] = await admin.list_topics()
        return topics
    finally:
        await admin.close()


async def _read(broker: Broker, topic: str) -> list[str]:
    """All that is committed."""
    partition = TopicPartition(topic, 0)
    values: list[str] = []
    async with AIOKafkaConsumer(bootstrap_servers=broker.bootstrap, isolation_level="read_committed") as consumer:
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        async with asyncio.timeout(30):
            while await consumer.position(partition) < end:
                for records in (await consumer.getmany(partition, timeout_ms=200)).values():
                    values += [record.value.decode() for record in records]
    return values


def _configmap(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "1"}}


def _event(name: str) -> Object:
    """The least that the server takes."""
    involved = {"kind": "Pod", "namespace": "default", "name": name}
    return {"apiVersion": "v1", "kind": "Event", "metadata": {"name": name}, "involvedObject": involved}


def _role(name: str, resource: str) -> Object:
    rules = [{"apiGroups": [""], "resources": [resource], "verbs": ["get", "list", "watch"]}]
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name}, "rules": rules}


def _binding(role: str, namespace: str) -> Object:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": role},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role},
        "subjects": [{"kind": "ServiceAccount", "namespace": namespace, "name": role}],
    }


def _definition() -> Object:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "servertests.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "servertests", "singular": "servertest", "kind": "ServerTest"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
