"""Kafka's own tools, which are Java's client: what operators type, with either broker."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.sandbox import Sandbox
from tests import java_tools
from tests.servers.versions import KAFKA
from tests.sink.stage import fresh

Tool = Callable[..., str]

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def jars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return java_tools.fetch(tmp_path_factory.mktemp("tools"))


@pytest.fixture(params=["sandbox", "real"])
def tool(request: pytest.FixtureRequest, jars: Path) -> Iterator[Tool]:
    """Runs a class of org.apache.kafka.tools, and returns what it prints."""
    with Sandbox() as sandbox:
        is_real = request.param == "real"
        bootstrap = request.getfixturevalue("real_broker").bootstrap if is_real else sandbox.bootstrap

        def run(name: str, *words: str, said: str = "") -> str:
            return java_tools.run(jars, name, "--bootstrap-server", bootstrap, *words, said=said)

        yield run


def test_the_console_consumer_reads_what_the_console_producer_wrote(tool: Tool) -> None:
    """In a group, whose progress the next command shows, and which the last one deletes."""
    topic, group = fresh("java"), fresh("group")
    made = tool("TopicCommand", "--create", "--topic", topic, "--partitions", "3")
    tool("ConsoleProducer", "--topic", topic, "--reader-property", "parse.key=true", said="a\t1\nb\t2\nc\t3\n")
    words = ["--topic", topic, "--from-beginning", "--max-messages", "3", "--isolation-level", "read_committed"]
    key = ["--formatter-property", "print.key=true"]
    found = tool("consumer.ConsoleConsumer", *words, *key, "--group", group)
    described = tool("consumer.group.ConsumerGroupCommand", "--describe", "--group", group)
    deleted = tool("consumer.group.ConsumerGroupCommand", "--delete", "--group", group)

    assert made.splitlines()[-1] == f"Created topic {topic}."
    assert sorted(found.splitlines()) == ["a\t1", "b\t2", "c\t3"]
    rows = [line.split() for line in described.splitlines() if line.startswith(group)]
    progress = {(row[2], row[3] == row[4], row[5]) for row in rows if row[3] != "-"}
    assert progress <= {(number, True, "0") for number in "012"}
    assert progress
    assert f"'{group}'" in deleted


def test_topics_and_transactions_are_listed(tool: Tool) -> None:
    topic = fresh("java")
    tool("TopicCommand", "--create", "--topic", topic, "--partitions", "2", "--config", "cleanup.policy=compact")
    listed = tool("TopicCommand", "--list")
    described = tool("TopicCommand", "--describe", "--topic", topic)
    transactions = tool("TransactionsCommand", "list")
    tool("TopicCommand", "--delete", "--topic", topic)

    assert topic in listed.splitlines()
    head, *partitions = [line.split("\t") for line in described.splitlines() if topic in line]
    assert "PartitionCount: 2" in head
    assert "cleanup.policy=compact" in head[-1]
    assert [line[2:4] for line in partitions] == [[f"Partition: {number}", "Leader: 1"] for number in (0, 1)]
    assert transactions.split()[:4] == ["TransactionalId", "Coordinator", "ProducerId", "TransactionState"]


def test_the_tools_are_of_the_brokers_version() -> None:
    assert f"<version>{KAFKA}</version>" in java_tools.POM.read_text()
