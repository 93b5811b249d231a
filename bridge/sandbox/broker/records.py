"""The desk for records: Produce, Fetch, ListOffsets."""

import asyncio
from enum import IntEnum

from bridge.sandbox.broker.apis import Fields, Request, per_partition
from bridge.sandbox.broker.batch import Batch, parse, records
from bridge.sandbox.broker.bell import Bell
from bridge.sandbox.broker.codes import Code
from bridge.sandbox.broker.log import Log
from bridge.sandbox.broker.topics import Place, Topics
from bridge.sandbox.broker.transactions import Transactions

READ_COMMITTED = 1


class Moment(IntEnum):
    """What may stand in place of a timestamp."""

    LATEST = -1
    EARLIEST = -2


class Records:
    def __init__(self, topics: Topics, transactions: Transactions, bell: Bell) -> None:
        self._topics = topics
        self._transactions = transactions
        self._bell = bell

    def produce(self, request: Request) -> Fields | None:
        """No answer where none was asked for (acks 0)."""
        asked = request.fields
        acks, name = asked["required_acks"], asked.get("transactional_id")
        topics = per_partition(asked["topics"], lambda topic, part: self._write(topic, part, acks, name))
        self._bell.ring()
        return {"topics": topics} if acks != 0 else None

    def _write(self, topic: str, part: Fields, acks: int, name: str | None) -> Fields:
        place = (topic, part["partition"])
        log = self._topics.log(place)
        code, offset, start = Code.NONE, -1, -1
        if acks not in (-1, 0, 1):
            code = Code.INVALID_REQUIRED_ACKS
        elif not isinstance(log, Log):
            code = log
        else:
            written = self._append(place, log, part["messages"] or b"", name)
            if isinstance(written, Code):
                code = written
            else:
                offset, start = written, log.start
        return {
            "partition": part["partition"],
            "error_code": code,
            "offset": offset,
            "timestamp": -1,
            "log_start_offset": start,
        }

    def _append(self, place: Place, log: Log, data: bytes, name: str | None) -> int | Code:
        topic = self._topics.get(place[0])
        assert topic is not None, "it has a log"
        batch = parse(data)
        if isinstance(batch, Code):
            return batch
        if batch.transactional:
            if name is None:
                return Code.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
            if code := self._transactions.admits(name, batch.producer_id, batch.epoch, place, log):
                return code
        if len(data) > int(topic.setting("max.message.bytes")):
            return Code.MESSAGE_TOO_LARGE
        if topic.compacted and (code := _keyless(batch)):
            return code
        return log.write(batch)

    async def fetch(self, request: Request) -> Fields:
        """Waits until there is enough, or the reader's time is over."""
        asked = request.fields
        until = asyncio.get_running_loop().time() + asked["max_wait_time"] / 1000
        while True:
            topics, size, failed = self._read(asked)
            if failed or size >= asked["min_bytes"] or asyncio.get_running_loop().time() >= until:
                return {"topics": topics}
            await self._bell.wait(until)

    def _read(self, asked: Fields) -> tuple[list[Fields], int, bool]:
        """All partitions, how many bytes are in them, and whether there is an error to be told at once."""
        committed = asked["isolation_level"] == READ_COMMITTED
        room: int = asked["max_bytes"]
        size = 0
        failed = False
        topics: list[Fields] = []
        for topic in asked["topics"]:
            parts = []
            for part in topic["partitions"]:
                told = self._read_one((topic["topic"], part["partition"]), part, room - size, size == 0, committed)
                size += len(told["message_set"])
                failed = failed or told["error_code"] != Code.NONE
                parts.append(told)
            topics.append({"topics": topic["topic"], "partitions": parts})
        return topics, size, failed

    def _read_one(self, place: Place, part: Fields, room: int, first: bool, committed: bool) -> Fields:
        offset = part["offset"] if "offset" in part else part["fetch_offset"]
        log = self._topics.log(place)
        if not isinstance(log, Log):
            return _unread(place, log)
        if not log.start <= offset <= log.end:
            return _unread(place, Code.OFFSET_OUT_OF_RANGE)
        limit = log.stable if committed else log.end
        found = log.read(offset, limit, max(0, min(room, part["max_bytes"])), whole=first)
        aborted = [{"producer_id": each.producer_id, "first_offset": each.first} for each in found.aborted]
        return {
            "partition": place[1],
            "error_code": Code.NONE,
            "highwater_offset": log.end,
            "last_stable_offset": log.stable,
            "log_start_offset": log.start,
            "aborted_transactions": aborted if committed else None,
            "preferred_read_replica": -1,
            "message_set": found.data,
        }

    def list_offsets(self, request: Request) -> Fields:
        committed = request.fields.get("isolation_level", 0) == READ_COMMITTED
        topics = per_partition(request.fields["topics"], lambda topic, part: self._find(topic, part, committed))
        return {"topics": topics}

    def _find(self, topic: str, part: Fields, committed: bool) -> Fields:
        log = self._topics.log((topic, part["partition"]))
        code, timestamp, offset = Code.NONE, -1, -1
        if not isinstance(log, Log):
            code = log
        else:
            limit = log.stable if committed else log.end
            match part["timestamp"]:
                case Moment.LATEST:
                    offset = limit
                case Moment.EARLIEST:
                    offset = log.start
                case wanted:
                    timestamp, offset = log.find(wanted, limit) or (-1, -1)
        return {"partition": part["partition"], "error_code": code, "timestamp": timestamp, "offset": offset}


def _unread(place: Place, code: Code) -> Fields:
    return {
        "partition": place[1],
        "error_code": code,
        "highwater_offset": -1,
        "last_stable_offset": -1,
        "log_start_offset": -1,
        "aborted_transactions": None,
        "preferred_read_replica": -1,
        "message_set": b"",
    }


def _keyless(batch: Batch) -> Code:
    """A compacted topic takes no record without a key."""
    unpacked = records(batch)
    if isinstance(unpacked, Code):
        return unpacked
    return Code.INVALID_RECORD if any(record.key is None for record in unpacked) else Code.NONE
