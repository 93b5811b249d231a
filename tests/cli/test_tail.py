"""`event-bridge tail`, as a process, on the sandbox's broker: what people type, and what they see."""

import asyncio
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from bridge.sandbox.broker.server import Broker
from tests.cli.test_root import ROOT, event_bridge
from tests.consumer.play import load
from tests.consumer.told import change, restarted, synced
from tests.consumer.vectors import VECTORS

TOPIC = "k8s.pods"
PATIENCE = 30.0
"""Seconds for what takes one."""
Record = tuple[bytes | None, bytes | None]


@contextmanager
def holding(records: Sequence[Record]) -> Iterator[str]:
    """A broker whose topic holds *records*, as long as the context lasts: its address."""
    up, down = threading.Event(), threading.Event()
    address: list[str] = []
    broker = threading.Thread(target=lambda: asyncio.run(_serve(records, address, up, down)))
    broker.start()
    try:
        assert up.wait(PATIENCE)
        yield address[0]
    finally:
        down.set()
        broker.join(PATIENCE)


async def _serve(records: Sequence[Record], address: list[str], up: threading.Event, down: threading.Event) -> None:
    async with Broker() as broker:
        broker.create(TOPIC)
        async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
            for key, value in records:
                await producer.send_and_wait(TOPIC, key=key, value=value)
        address.append(broker.bootstrap)
        up.set()
        await asyncio.to_thread(down.wait)


def vector(name: str) -> list[Record]:
    steps = load(VECTORS / f"{name}.json").steps
    return [((step.key or "").encode(), step.bytes) for step in steps]


def said(result: subprocess.CompletedProcess[str]) -> tuple[int, list[str], str]:
    """Exit code, the words of each line without rules and blanks, and what went to standard error."""
    lines = [" ".join(re.sub("─+", " ", text).split()) for text in result.stdout.splitlines()]
    return result.returncode, lines, result.stderr


def test_a_topic_is_shown_from_its_beginning() -> None:
    """The records of a vector: a gap in which an object was deleted."""
    records = vector("inferred-delete")
    with holding(records) as broker:
        code, lines, errors = said(event_bridge("tail", TOPIC, "--bootstrap-servers", broker, "--once"))

    kinds = [json.loads(value or b"null")["type"] for _, value in records]
    assert (code, errors) == (0, "")
    assert [next(kind for kind in kinds if f" {kind} " in f"{text} ") for text in lines] == kinds
    assert any(text.endswith("inferred") for text in lines)


def test_the_state_is_what_the_vector_says() -> None:
    """As JSON and as a table."""
    steps = load(VECTORS / "inferred-delete.json").steps
    with holding(vector("inferred-delete")) as broker:
        arguments = ["tail", TOPIC, "--bootstrap-servers", broker, "--once", "--state"]
        code, lines, errors = said(event_bridge(*arguments, "--output", "json"))
        table = event_bridge(*arguments)

    held = [json.loads(text) for text in lines]
    objects: dict[str, dict[str, object]] = {}
    for one in held:
        objects.setdefault(one["stream"], {})[one["key"]] = one["object"]
    assert (code, errors, {"0": objects}) == (0, "", steps[-1].state)
    shown = {text.split()[0] for text in table.stdout.splitlines()[1 : len(held) + 1]}
    assert shown == {one["key"] for one in held}


def test_a_violation_is_named_with_its_place_and_ends_it() -> None:
    """Exit code 1, so that a pipeline stops."""
    with holding([restarted(1), synced(1, 10, 0), change("LISTED", 1, "x", 5), synced(1, 11, 0)]) as broker:
        code, lines, errors = said(event_bridge("tail", TOPIC, "--bootstrap-servers", broker, "--check"))

    assert (code, errors) == (1, "event-bridge tail: k8s.pods[0] at offset 2: LISTED after SYNCED\n")
    assert len(lines) == 3


def test_a_topic_without_a_violation_is_said_to_be_right() -> None:
    with holding([restarted(1), change("LISTED", 1, "x", 5), synced(1, 10, 1)]) as broker:
        code, lines, errors = said(event_bridge("tail", TOPIC, "--bootstrap-servers", broker, "--check", "--once"))

    assert (code, errors, len(lines)) == (0, "3 records, and all as the protocol has it\n", 3)


def test_a_topic_of_another_format_is_told() -> None:
    with holding([(b"k", b'{"payload": {}}')] * 3) as broker:
        result = event_bridge("tail", TOPIC, "--bootstrap-servers", broker, "--once")

    assert result.returncode == 1
    assert result.stderr.startswith("event-bridge tail: nothing in k8s.pods is a record of the bridge's")


def test_a_filter_that_nothing_passes_is_told() -> None:
    """A misspelt stream looks like a quiet one."""
    with holding([restarted(1), synced(1, 10, 0)]) as broker:
        code, lines, errors = said(
            event_bridge("tail", TOPIC, "--bootstrap-servers", broker, "--once", "--stream", "po")
        )

    assert (code, lines) == (0, [])
    assert errors == "nothing to show: 2 records were read, and none is as --stream, --key and --since ask\n"


def test_a_full_disk_is_said() -> None:
    """`tail --once > dump`: half a dump must not pass for a whole one."""
    with holding([restarted(1), synced(1, 10, 0)]) as broker, Path("/dev/full").open("w") as full:
        arguments = ["tail", TOPIC, "--bootstrap-servers", broker, "--once", "--output", "json"]
        command = [sys.executable, "-m", "bridge", *arguments]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, cwd=ROOT)

    words = "event-bridge tail: cannot write what was read: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, words)


@pytest.mark.parametrize("since", ["beginning", "1d", "2020-01-01T00:00:00Z"])
def test_ctrl_c_ends_it_quietly(since: str) -> None:
    """It follows until then; no traceback, and nothing on standard error."""
    with holding([restarted(1), synced(1, 10, 0)]) as broker, following(broker, "--since", since) as tail:
        assert tail.stdout is not None
        first = [tail.stdout.readline(), tail.stdout.readline()]
        tail.send_signal(signal.SIGINT)
        rest, errors = tail.communicate(timeout=PATIENCE)

    assert ["RESTARTED" in first[0], "SYNCED" in first[1]] == [True, True]
    assert (tail.returncode, rest, errors) == (0, "", "")


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_reader_that_goes_ends_it_quietly(output: str) -> None:
    """`tail | head -1`. The pipe holds 64 KiB: the records are more, so that writing must fail."""
    records = [change("MODIFIED", 1, "x" * 200 + f"{number}", number) for number in range(1000)]
    with holding(records) as broker, following(broker, "--since", "beginning", "--output", output) as tail:
        assert tail.stdout is not None
        assert tail.stderr is not None
        assert "x" * 200 in tail.stdout.readline()
        tail.stdout.close()
        errors, code = tail.stderr.read(), tail.wait(PATIENCE)

    assert (code, errors) == (0, "")


@contextmanager
def following(broker: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "bridge", "tail", TOPIC, "--bootstrap-servers", broker, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as tail:
        try:
            yield tail
        finally:
            tail.kill()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bootstrap-servers", "k:9092"], "needs a TOPIC"),
        (["t", "--bootstrap-servers", "k:9092", "--since", "lunch"], "neither a duration nor a time"),
        (["t", "--bootstrap-servers", "k:9092", "--state", "--since", "1h"], "leave --since out"),
        (["t", "--bootstrap-servers", "k:9092", "--state"], "add --once"),
        (["t", "--sasl", "PLAIN:me"], "go with --bootstrap-servers"),
    ],
)
def test_a_wrong_command_line_says_what_is_missing(arguments: list[str], words: str) -> None:
    result = event_bridge("tail", *arguments)

    assert result.returncode == 2
    assert words in " ".join(re.sub("[│╭╮╰╯─]", " ", result.stderr).split())
