"""Records of a topic as they arrive, for people: a change is a line, a marker is a rule across it."""

import asyncio
import logging
from collections import defaultdict

from aiokafka import AIOKafkaConsumer
from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from tests.audit.records import Entry, Record, parse

STYLES = {"ADDED": "green", "LISTED": "cyan", "MODIFIED": "yellow", "DELETED": "red"}


class Screen:
    """Follows topics and prints what is committed to them. Owns what it has seen: the records of each stream."""

    def __init__(self, console: Console) -> None:
        self.records: dict[str, list[Record]] = defaultdict(list)
        self._console = console
        self._arrived = asyncio.Event()

    async def follow(self, bootstrap: str, topics: list[str]) -> None:
        """Until cancelled."""
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it would go on about topics that are still to come
        consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest"
        )
        consumer.subscribe(topics)
        await consumer.start()
        try:
            while True:
                for batch in (await consumer.getmany(timeout_ms=100)).values():
                    for m in batch:
                        self._take(parse(Entry(m.topic, m.partition, m.offset, m.key or b"", m.value or b"")))
        finally:
            await consumer.stop()

    async def has(self, stream: str, kind: str, key: str, count: int = 1) -> None:
        """Wait for the so-manieth record of that type and key."""
        while sum((r.value.type, r.key) == (kind, key) for r in self.records[stream]) < count:
            self._arrived.clear()
            await self._arrived.wait()

    def _take(self, record: Record | str) -> None:
        assert isinstance(record, Record), record
        self.records[record.value.stream].append(record)
        self._console.print(_marker(record) if record.is_marker else _change(record))
        self._arrived.set()


def _change(record: Record) -> Text:
    value = record.value
    style = STYLES[value.type]
    return Text.assemble(
        (f"{value.time:%H:%M:%S.%f}"[:-3], "dim"),
        f"  {value.type:<8}  ",
        (f"{record.key:<34}", style),
        (f"  version {record.version}" if record.version else "  inferred", "dim"),
    )


def _marker(record: Record) -> Rule:
    value = record.value
    match value.type:
        case "RESTARTED":
            text = f"RESTARTED {value.stream}: {value.reason} ({value.message})"
        case "SYNCED":
            text = f"SYNCED {value.stream}: {value.objects} objects at version {record.version}"
        case _:
            text = f"{value.type} {value.stream}: all up to version {record.version} has been said"
    return Rule(Text(text, style="bold magenta"), align="left", style="magenta")
