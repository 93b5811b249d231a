"""What `acls` prints is the least that works: with each right less `check` names the one that is missing."""

import asyncio
import itertools
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.bridge_process import BridgeProcess
from tests.command import event_bridge
from tests.integration.test_cli_check import check
from tests.integration.test_kafka_access import (
    ALLOW,
    GROUP,
    LITERAL,
    OPERATIONS,
    PLAIN,
    PREFIXED,
    SETTINGS,
    TOPIC,
    TRANSACTIONAL_ID,
    USERS,
    Brokers,
    Rule,
    allow,
    config_for,
)
from tests.servers.apiserver import Cluster

KINDS = {"topic": TOPIC, "group": GROUP, "transactional-id": TRANSACTIONAL_ID}
THINGS = {
    "guarded.": "transactions",
    "guarded.configmaps": "topic",
    "spread.": "topic",
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


async def printed(config: dict[str, Any], directory: Path) -> list[Rule]:
    answer = await event_bridge("acls", config, directory)
    assert (answer.code, answer.errors) == (0, "")
    lines = [shlex.split(line) for line in answer.output.splitlines() if line and not line.startswith("#")]
    return [rule for words in lines for rule in rules_of(words)]


def rules_of(words: list[str]) -> list[Rule]:
    [kind] = [kind for kind in KINDS if f"--{kind}" in words]
    name, pattern = words[words.index(f"--{kind}") + 1], PREFIXED if "prefixed" in words else LITERAL
    operations = [after for word, after in itertools.pairwise(words) if word == "--operation"]
    return [(KINDS[kind], name, pattern, "User:bridge", "*", OPERATIONS[each], ALLOW) for each in operations]


async def told(config: dict[str, Any], directory: Path, user: str) -> tuple[int, dict[str, list[str]]]:
    """What `check` says to *user* of each thing."""
    sasl = {**config["kafka"]["sasl"], "username": user}
    code, report = await check(directory, {**config, "kafka": {**config["kafka"], "sasl": sasl}})
    [stream] = report["streams"]
    states = [report["checkpoints"] or {"problem": report["kafka"]["problem"], "note": ""}, *stream["topics"]]
    states += [report["group"]] if report["group"] is not None else []
    return code, {
        "problems": [state["problem"] for state in states] + stream["problems"],
        "notes": [s["note"] for s in states],
    }


def allows(said: str) -> list[Rule]:
    """What the commands in it allow."""
    lines = [shlex.split(line) for line in said.splitlines() if line.startswith("kafka-acls.sh")]
    return [rule for words in lines for rule in rules_of(words)]


@pytest.mark.integration(timeout=500)
@pytest.mark.parametrize("mode", ["shared", "alone", "without-transactions", "spread"])
async def test_each_printed_right_is_needed_and_named(
    cluster: Cluster, new_broker: Brokers, tmp_path: Path, mode: str
) -> None:
    """An operator who forgets one is told which; one whose company grants only what is needed need not ask why."""
    broker = await asyncio.to_thread(new_broker, settings(["bridge", *EXPECTED]))
    config = config_for(cluster, broker, mode)
    async with cluster.kube() as kube:
        made = {"metadata": {"name": f"guarded-{mode}", "labels": {"spread": ""}}}
        await kube.create("/api/v1/namespaces/default/configmaps", made)
    rules = await printed(config, tmp_path)
    await allow(broker, rules)
    for less in rules:
        others = [rule for rule in rules if rule != less]
        await allow(broker, [(*rule[:3], f"User:{named(less)}", *rule[4:]) for rule in others])

    async def said(user: str) -> str:
        code, words = await told(config, tmp_path, user)
        assert (code == 0) == (not any(words["problems"]))
        return "\n".join({*words["problems"], *words["notes"]})

    missing = {user: await said(user) for user in ("topic-create", "checkpoints-create")}
    with BridgeProcess(config, tmp_path) as bridge:
        bridge.start()
        await asyncio.to_thread(bridge.says, "relist completed", 60)
        missing |= {user: await said(user) for user in map(named, rules) if user not in missing}
        assert await said("bridge") == ""
        assert "stream recovers" not in bridge.log.read_text(), "nobody was disturbed"
        assert await asyncio.to_thread(bridge.terminate) == 0

    assert missing.keys() == {named(rule) for rule in rules}
    assert {user: words for user, words in missing.items() if expected(user, mode) not in words} == {}
    mends = {named(rule): rule in allows(missing[named(rule)]) for rule in rules}
    assert all(mends.values()), mends


def expected(user: str, mode: str) -> str:
    return EXPECTED[user].replace("guarded.configmaps", "spread.default" if mode == "spread" else "guarded.configmaps")


EXPECTED = {
    "transactions-write": "Allow Write on TransactionalIds that begin with guarded.",
    "topic-write": "no permission for topic guarded.configmaps. Allow Write on it",
    "topic-create": "cannot make topic guarded.configmaps",
    "topic-describeconfigs": "Allow DescribeConfigs on it",
    "checkpoints-read": "no permission to Read on topic guarded.checkpoints. Allow Read on it",
    "checkpoints-write": "no permission to Write on topic guarded.checkpoints. Allow Write on it",
    "checkpoints-create": "cannot make topic guarded.checkpoints",
    "checkpoints-describeconfigs": "Allow DescribeConfigs on it",
    "group-read": "Allow Read on the Group",
    "group-describe": "allow Describe on the Group",
}
