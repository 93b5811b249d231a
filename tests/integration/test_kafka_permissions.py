"""The manual's permissions are the least that works: with each one less `check` names the one that is missing."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.bridge_process import BridgeProcess
from tests.integration.test_cli_check import check
from tests.integration.test_kafka_access import (
    OPERATIONS,
    PLAIN,
    SETTINGS,
    TOPIC,
    USERS,
    Brokers,
    Rule,
    allow,
    config_for,
    manual,
)
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker

THINGS = {
    "guarded.": "transactions",
    "guarded.configmaps": "topic",
    "guarded.checkpoints": "checkpoints",
    "guarded": "group",
}
WORDS = {code: word for word, code in OPERATIONS.items()}


def settings(users: list[str]) -> dict[str, str]:
    accounts = " ".join(f'user_{user}="{USERS["bridge"]}"' for user in users)
    admin = f'username="admin" password="{USERS["admin"]}" user_admin="{USERS["admin"]}"'
    login = {"listener.name.plaintext.plain.sasl.jaas.config": f"{PLAIN} {admin} {accounts};"}
    return {**SETTINGS, **login}


def named(rule: Rule) -> str:
    """The user who may all but this."""
    return f"{THINGS[rule[1]]}-{WORDS[rule[5]]}".lower()


async def told(cluster: Cluster, broker: Broker, directory: Path, user: str) -> tuple[int, dict[str, list[str]]]:
    """What `check` says to *user* of each thing."""
    config: dict[str, Any] = config_for(cluster, broker)
    config["kafka"]["sasl"]["username"] = user
    code, report = await check(directory, config)
    [stream] = report["streams"]
    states = [report["checkpoints"] or {"problem": report["kafka"]["problem"], "note": ""}, *stream["topics"]]
    return code, {
        "problems": [state["problem"] for state in [*states, report["group"]]] + stream["problems"],
        "notes": [s["note"] for s in states],
    }


@pytest.mark.integration(timeout=500)
async def test_each_permission_of_the_manual_is_needed_and_named(
    cluster: Cluster, new_broker: Brokers, tmp_path: Path
) -> None:
    """An operator who forgets one is told which; one whose company grants only what is needed need not ask why."""
    rules = manual("guarded", "guarded.configmaps", "guarded.checkpoints")
    broker = await asyncio.to_thread(new_broker, settings(["bridge", *map(named, rules)]))
    await allow(broker, rules)
    for less in rules:
        others = [rule for rule in rules if rule != less]
        await allow(broker, [(*rule[:3], f"User:{named(less)}", *rule[4:]) for rule in others])

    async def said(user: str) -> str:
        code, words = await told(cluster, broker, tmp_path, user)
        assert (code == 0) == (not any(words["problems"]))
        return "\n".join({*words["problems"], *words["notes"]})

    missing = {user: await said(user) for user in ("topic-create", "checkpoints-create")}
    with BridgeProcess(config_for(cluster, broker), tmp_path) as bridge:
        bridge.start()
        await asyncio.to_thread(bridge.says, "relist completed", 60)
        missing |= {user: await said(user) for user in map(named, rules) if user not in missing}
        assert await said("bridge") == ""
        assert "stream recovers" not in bridge.log.read_text(), "nobody was disturbed"
        assert await asyncio.to_thread(bridge.terminate) == 0

    expected = {
        "transactions-write": "Allow Write on TransactionalIds that begin with guarded.",
        "topic-write": "no permission for topic guarded.configmaps. Allow Write on it",
        "topic-create": "cannot make topic guarded.configmaps",
        "topic-describeconfigs": "Allow DescribeConfigs on it",
        "checkpoints-read": "no permission to Read on topic guarded.checkpoints. Allow Read on it",
        "checkpoints-write": "no permission to Write on topic guarded.checkpoints. Allow Write on it",
        "checkpoints-create": "cannot make topic guarded.checkpoints",
        "checkpoints-describeconfigs": "Allow DescribeConfigs on it",
        "group-read": "Allow Read on the Group",
    }
    assert {user: words for user, words in missing.items() if expected[user] not in words} == {}
    assert expected.keys() == missing.keys()
    assert {rule[5] for rule in rules if rule[0] == TOPIC} == {
        OPERATIONS[word] for word in ("Read", "Write", "Create", "DescribeConfigs")
    }
