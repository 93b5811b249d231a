"""A broker that checks access: what docs/operations.md says must be allowed is enough, and what is missing is named."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import CreateAclsRequest

from tests.bridge_process import ROOT, BridgeProcess
from tests.integration.test_cli_check import check
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker

PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
USERS = {"admin": "a-password", "bridge": "b$password"}
ACCOUNTS = " ".join(f'user_{name}="{password}"' for name, password in USERS.items())
SETTINGS = {
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:SASL_PLAINTEXT",
    "sasl.enabled.mechanisms": "PLAIN",
    "sasl.mechanism.inter.broker.protocol": "PLAIN",
    "listener.name.plaintext.plain.sasl.jaas.config": (
        f'{PLAIN} username="admin" password="{USERS["admin"]}" {ACCOUNTS};'
    ),
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:admin;User:ANONYMOUS",  # the controller's listener knows no names
}

# Codes of org.apache.kafka.common.acl and .resource
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
TOPIC, GROUP, TRANSACTIONAL_ID = 2, 3, 5
LITERAL, PREFIXED = 3, 4
ALLOW = 3

Brokers = Callable[..., Broker]


@pytest.mark.integration(timeout=400)
async def test_what_the_manual_allows_is_enough(cluster: Cluster, new_broker: Brokers, tmp_path: Path) -> None:
    """Or the first team that follows it is stuck."""
    broker = await asyncio.to_thread(new_broker, SETTINGS)
    config = config_for(cluster, broker)
    await allow(broker, manual("guarded", "guarded.configmaps", "guarded.checkpoints"))

    code, report = await check(tmp_path, config)
    assert (code, report["kafka"]["problem"]) == (0, "")
    with BridgeProcess(config, tmp_path) as bridge:
        bridge.start()
        await asyncio.to_thread(bridge.says, "relist completed", 60)
        assert await asyncio.to_thread(bridge.terminate) == 0

    assert "stream recovers" not in bridge.log.read_text()


@pytest.mark.integration(timeout=400)
async def test_what_is_not_allowed_is_named(cluster: Cluster, new_broker: Brokers, tmp_path: Path) -> None:
    """By `check`, step by step, and by the log of a bridge that was started all the same and goes on once it may."""
    broker = await asyncio.to_thread(new_broker, SETTINGS)
    config = config_for(cluster, broker)
    rules = manual("guarded", "guarded.configmaps", "guarded.checkpoints")

    with BridgeProcess(config, tmp_path) as bridge:
        bridge.start()
        await asyncio.to_thread(bridge.says, "no permission for topic guarded.checkpoints", 60)

        code, report = await check(tmp_path, config)
        assert code == 1
        assert "no permission for topic guarded.checkpoints" in report["kafka"]["problem"]

        await allow(broker, [(*rule[:5], OPERATIONS["Describe"], ALLOW) for rule in rules])
        code, report = await check(tmp_path, config)
        assert code == 1
        assert "Allow Create on it" in report["checkpoints"]["problem"]
        assert "Allow Create on it" in report["streams"][0]["problems"][0]

        await allow(broker, [rule for rule in rules if rule[0] == TOPIC])
        await asyncio.to_thread(bridge.says, "Allow Read on the Group", 90)
        code, report = await check(tmp_path, config)
        assert (code, report["group"]["name"]) == (1, "guarded")
        assert "Allow Read on the Group" in report["group"]["problem"]

        await allow(broker, [rule for rule in rules if rule[0] == GROUP])
        await asyncio.to_thread(bridge.says, "Allow Write on the TransactionalId", 120)

        await allow(broker, rules)
        code, report = await check(tmp_path, config)
        assert code == 0
        await asyncio.to_thread(bridge.says, "relist completed", 90)


async def test_a_wrong_password_is_named(cluster: Cluster, new_broker: Brokers, tmp_path: Path) -> None:
    """And not shown."""
    broker = await asyncio.to_thread(new_broker, SETTINGS)
    config = config_for(cluster, broker)
    config["kafka"]["sasl"]["password"] = "not-the-password"

    code, report = await check(tmp_path, config)

    assert code == 1
    assert "refused the login of bridge (kafka.sasl)" in report["kafka"]["problem"]
    assert "not-the-password" not in str(report)


Rule = tuple[int, str, int, str, str, int, int]


def manual(name: str, topic: str, checkpoints: str) -> list[Rule]:
    """The rules of the manual's table, for a config with this *name* and these topics."""
    text = (ROOT / "docs" / "operations.md").read_text().partition("**Kafka**, where access")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| (.+?) \| (.+?) \|$", text, re.MULTILINE))
    places = {
        "TransactionalId, prefix `{name}.`": (TRANSACTIONAL_ID, f"{name}.", PREFIXED),
        "the topics of the watches": (TOPIC, topic, LITERAL),
        "the checkpoint topic": (TOPIC, checkpoints, LITERAL),
        "the Group `{name}`": (GROUP, name, LITERAL),
    }
    return [
        (*place, "User:bridge", "*", OPERATIONS[word], ALLOW)
        for row, place in places.items()
        for word in re.findall(r"\w+", rows[row])
        if word in OPERATIONS
    ]


async def allow(broker: Broker, rules: list[Rule]) -> None:
    client = AIOKafkaClient(
        bootstrap_servers=broker.bootstrap,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_plain_username="admin",
        sasl_plain_password=USERS["admin"],
    )
    await client.bootstrap()
    try:
        for rule in rules:
            answer = await client.send(client.get_random_node(), CreateAclsRequest(*rule))
            assert answer.to_object()["creation_responses"][0]["error_code"] == 0, answer
    finally:
        await client.close()


def config_for(cluster: Cluster, broker: Broker, mode: str = "shared") -> dict[str, Any]:
    sasl = {"mechanism": "PLAIN", "username": "bridge", "password": USERS["bridge"]}
    watch = {"resource": "configmaps", "namespaces": ["default"], "topic": "guarded.configmaps"}
    if mode == "spread":
        watch = {"resource": "configmaps", "labelSelector": "spread", "topic": "spread.{namespace}"}
    delivery = "at-least-once" if mode == "without-transactions" else "exactly-once"
    return {
        "name": "guarded",
        "standalone": mode == "alone",
        "kubernetes": {"kubeconfig": str(cluster.kubeconfig)},
        "kafka": {"bootstrapServers": broker.bootstrap, "sasl": sasl, "delivery": delivery},
        "topics": {"partitions": 2},
        "checkpoints": {"partitions": 2},
        "watches": [watch],
    }
