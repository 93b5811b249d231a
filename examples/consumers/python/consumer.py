"""A whole consumer of kube-event-bridge, to copy: it holds what the cluster holds. Needs Python 3.11 and aiokafka.

    python consumer.py kafka:9092 k8s.pods          follow; each time the objects change, print them as a line of JSON
    python consumer.py kafka:9092 k8s.pods --once   end when all is read that is there now
    python consumer.py --vectors protocol/vectors   prove it

The state is in memory and read anew at each start. Who keeps it must change state and offset together.
"""

import argparse
import asyncio
import binascii
import json
import sys
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

Json = dict[str, Any]
MARKERS = ("RESTARTED", "SYNCED", "PROGRESS")
NEWEST = 2**53 - 1  # the greatest epoch that there can be; taken, one beyond would end the stream for ever


class RefusedError(Exception):
    """What stands in the topic is no record of the bridge's."""


class Follower:
    """Mark and sweep, as docs/protocol.md says: per partition and per stream."""

    def __init__(self) -> None:
        self.objects: dict[tuple[int, str], dict[str, tuple[int, Json]]] = {}  # key -> epoch that told it, object
        self.newest: dict[tuple[int, str], int] = {}

    def take(self, partition: int, key: bytes | None, value: bytes | None) -> bool:
        """Whether the objects have changed. Raises `RefusedError`, and then nothing has."""
        name, record = read(key, value)
        scope, epoch = (partition, record["stream"]), record["epoch"]
        if epoch < self.newest.get(scope, 0):
            return False  # of an epoch that is over: at-least-once says things twice
        self.newest[scope] = epoch
        objects = self.objects.setdefault(scope, {})
        if record["type"] in ("ADDED", "MODIFIED", "LISTED"):
            objects[name] = epoch, record["object"]
            return True
        if record["type"] == "DELETED":
            return objects.pop(name, None) is not None
        if record["type"] == "SYNCED":
            swept = [old for old, (seen, _) in objects.items() if seen < epoch]
            for old in swept:
                del objects[old]
            return bool(swept)
        return False  # RESTARTED: the old objects are served until SYNCED. PROGRESS: all up to it has been said

    def state(self) -> Json:
        """Partition -> stream -> key -> object."""
        found: Json = {}
        for (partition, stream), objects in self.objects.items():
            if objects:
                found.setdefault(str(partition), {})[stream] = {key: thing for key, (_, thing) in objects.items()}
        return found


def read(key: bytes | None, value: bytes | None) -> tuple[str, Json]:
    """The key and the record, of which at least what a follower needs is there."""
    try:
        record = json.loads((value or b"").decode(), parse_constant=int)  # json would take NaN, int does not
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"no JSON: {error}") from error
    if not isinstance(record, dict) or not isinstance(record.get("stream"), str) or not record["stream"]:
        raise RefusedError("no record of the bridge's: no object, or no stream")
    if type(record.get("epoch")) is not int or not 0 <= record["epoch"] <= NEWEST:
        raise RefusedError("an epoch that is none")
    if record.get("type") in ("ADDED", "MODIFIED", "LISTED"):
        if not isinstance(record.get("object"), dict):
            raise RefusedError("a change without its object")
    elif record.get("type") not in (*MARKERS, "DELETED"):
        raise RefusedError(f"of unknown type {record.get('type')}")
    return "" if record["type"] in MARKERS else place(key or b""), record


def place(key: bytes) -> str:
    """The key of a change: there is something before its first slash and behind its last. A marker's says nothing."""
    try:
        name = key.decode()
    except ValueError as error:
        raise RefusedError(f"a key that is not UTF-8: {error}") from error
    if "/" not in name or name[0] == "/" or name[-1] == "/":
        raise RefusedError(f"a change of no object: its key is {name!r}")
    return name


async def follow(bootstrap: str, topic: str, *, once: bool) -> None:
    asking = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",  # without it, records of aborted attempts are read
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    try:
        await asking.start()
        if topic not in await asking.topics():
            sys.exit(f"there is no topic {topic}")  # its consumer would wait for it
        await consumer.start()
        ends = await consumer.end_offsets(list(consumer.assignment())) if once else {}
        await _follow(consumer, ends)
    finally:
        await asking.stop()
        await consumer.stop()


async def _follow(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> None:
    follower = Follower()
    while not ends or not all([await consumer.position(place) >= end for place, end in ends.items()]):
        changed = False
        for place, messages in (await consumer.getmany(timeout_ms=1000)).items():
            for message in messages:
                try:
                    changed |= follower.take(place.partition, message.key, message.value)
                except RefusedError as refused:
                    print(f"partition {place.partition}, offset {message.offset}: {refused}", file=sys.stderr)
        if changed and not ends:
            print(json.dumps(follower.state()), flush=True)
    print(json.dumps(follower.state()), flush=True)


def prove(directory: Path) -> int:
    """The exit code: 0 if every vector comes out as it should."""
    files = sorted(directory.glob("*.json"))
    wrong = [problem for file in files for problem in play(file)]
    print(*wrong, f"{len(files)} vectors in {directory}, {len(wrong)} differences", sep="\n")
    return 1 if wrong or not files else 0


def play(file: Path) -> list[str]:
    try:
        steps = load(file)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        return [f"{file} is no vector, or a part of one: {error!r}"]
    follower, wrong = Follower(), []
    for number, (record, state, should) in enumerate(steps, 1):
        refused = False
        try:
            follower.take(*record)
        except RefusedError:
            refused = True
        if (refused, follower.state()) != (should, state):
            found = f"{'' if refused else 'not '}refused, holds {follower.state()}, should hold {state}"
            wrong.append(f"{file.stem}, step {number}: {found}")
    return wrong


def load(file: Path) -> list[Any]:
    """Of each step the record, as Kafka would hold it, the state after it, and whether it is refused."""
    vector = json.loads(file.read_text(encoding="utf-8"), parse_constant=int)
    if not vector["steps"]:
        raise ValueError("it has no steps")
    return [(written(step), step["state"], step.get("refused", False)) for step in vector["steps"]]


def written(step: Json) -> tuple[int, bytes | None, bytes | None]:
    place, refused = step["partition"], step.get("refused", False)
    if type(place) is not int or not 0 <= place < 2**31 or type(refused) is not bool or type(step["state"]) is not dict:
        raise ValueError(f"a step that is none: {step}")
    key = None if step["key"] is None else str.encode(step["key"])
    if "hex" in step:
        return place, key, binascii.unhexlify(step["hex"])
    if "text" in step:
        return place, key, str.encode(step["text"])
    return place, key, None if step["value"] is None else json.dumps(step["value"]).encode()


def main() -> int:
    parser = argparse.ArgumentParser(description="Follow a topic of kube-event-bridge.")
    parser.add_argument("bootstrap", nargs="?", help="brokers, host:port")
    parser.add_argument("topic", nargs="?")
    parser.add_argument("--once", action="store_true", help="end when all is read that is there now")
    parser.add_argument("--vectors", type=Path, metavar="DIR", help="play the vectors in DIR instead")
    arguments = parser.parse_args()
    if arguments.vectors is not None:
        return prove(arguments.vectors)
    if arguments.topic is None:
        parser.error("name brokers and a topic, or --vectors")
    try:
        asyncio.run(follow(arguments.bootstrap, arguments.topic, once=arguments.once))
    except KafkaError as error:
        sys.exit(f"Kafka at {arguments.bootstrap}: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
