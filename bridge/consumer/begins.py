"""Where partitions begin, end, or are at a time: for those who do not just read all of them."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition, errors

from bridge.consumer.loop import ANSWER, LoopFault, fault_of, stop
from bridge.consumer.state import Log


async def beginnings(topics: Mapping[str, int], settings: dict[str, Any]) -> dict[Log, int]:
    """The offset of the oldest record of each partition."""
    return await _ask(topics, settings, "beginning")


async def ends(topics: Mapping[str, int], settings: dict[str, Any]) -> dict[Log, int]:
    """The offset behind the last committed record."""
    return await _ask(topics, settings, "end")


async def times(topics: Mapping[str, int], settings: dict[str, Any], time_ms: int) -> dict[Log, int]:
    """The offset of the first record of that time or later; the end, where there is none."""
    return await _ask(topics, settings, time_ms)


async def _ask(topics: Mapping[str, int], settings: dict[str, Any], what: str | int) -> dict[Log, int]:
    places = [TopicPartition(topic, number) for topic, count in topics.items() for number in range(count)]
    consumer = AIOKafkaConsumer(isolation_level="read_committed", enable_auto_commit=False, **settings)
    try:
        async with asyncio.timeout(ANSWER):
            await consumer.start()
            found = await _offsets(consumer, places, what)
    except errors.KafkaError as error:
        raise fault_of(error) from error
    except TimeoutError as error:
        raise LoopFault(f"Kafka did not answer within {ANSWER:g} s") from error
    finally:
        await stop(consumer)
    return {Log(place.topic, place.partition): offset for place, offset in found.items()}


async def _offsets(
    consumer: AIOKafkaConsumer, places: list[TopicPartition], what: str | int
) -> Mapping[TopicPartition, int]:
    if what == "beginning":
        return dict(await consumer.beginning_offsets(places))
    ends = dict(await consumer.end_offsets(places))
    if what == "end":
        return ends
    found = await consumer.offsets_for_times(dict.fromkeys(places, what))
    return ends | {place: at.offset for place, at in found.items() if at is not None}
