"""Kafka's own tools, which are Java's client: what operators type, with either broker."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.sandbox import Sandbox
from tests.servers.versions import KAFKA
from tests.sink.stage import fresh

HERE = Path(__file__).parent
FETCH = 300.0
"""Seconds: the first time, the jars are fetched."""
PATIENCE = 90.0
"""Seconds for one command: a Java that starts on a busy machine, and a real broker."""

Tool = Callable[..., str]

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def jars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for needed in ("java", "mvn"):
        if shutil.which(needed) is None:
            pytest.skip(f"TOOL MISSING: {needed}, so Kafka's own tools were not tried")
    place = tmp_path_factory.mktemp("tools")
    shutil.copy(HERE / "java" / "pom.xml", place)
    command = ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={place}/lib"]
    ended = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, timeout=FETCH)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return place / "lib"


@pytest.fixture(params=["sandbox", "real"])
def tool(request: pytest.FixtureRequest, jars: Path) -> Iterator[Tool]:
    """Runs a class of org.apache.kafka.tools, and returns what it prints."""
    with Sandbox() as sandbox:
        is_real = request.param == "real"
        bootstrap = request.getfixturevalue("real_broker").bootstrap if is_real else sandbox.bootstrap

        def run(name: str, *words: str, said: str = "") -> str:
            main = ["java", "-cp", f"{jars}/*", f"org.apache.kafka.tools.{name}", "--bootstrap-server", bootstrap]
            ended = subprocess.run(
                [*main, *words], input=said, capture_output=True, text=True, check=False, timeout=PATIENCE
            )
            assert ended.returncode == 0, ended.stdout + ended.stderr
            return ended.stdout

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
    assert f"<version>{KAFKA}</version>" in (HERE / "java" / "pom.xml").read_text()
