"""What commands that follow topics share: which topics there are, patience while Kafka is away, an end by a signal."""

import asyncio
import contextlib
import re
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct

from bridge.config.kafka import Kafka
from bridge.consumer.loop import LoopFault, RefusedFault
from bridge.retry import Backoff
from bridge.sink.connection import ANSWER, KafkaFault, SettingFault, connected, faults
from bridge.sink.metadata import topics_of

GRACE = 4.0
"""Seconds that a batch, and a good-bye to Kafka, have after a signal: a service manager kills after 10."""


class Waiting(Struct, frozen=True):
    """Kafka is away: the next try is in *seconds*."""

    why: str
    seconds: float


Work = Callable[[asyncio.Event], Awaitable[str]]
"""Follows until the event is set. What ended it, in words; empty: all is well."""


async def until_signal(work: Work) -> str:
    """SIGTERM and Ctrl-C end it in good order, or, if it waits for Kafka, after a while in any."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    following = asyncio.ensure_future(work(stopping))
    stop = asyncio.ensure_future(stopping.wait())
    await asyncio.wait({following, stop}, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.wait({following}, timeout=GRACE)
    stop.cancel()
    if not following.done():  # it waits for an answer of Kafka's: nothing of it is in the store yet
        following.cancel()
        return ""
    return following.result()


async def patiently(
    attempt: Work, position: Callable[[], object], tell: Callable[[Sequence[Waiting]], None], stopping: asyncio.Event
) -> str:
    """What is merely away is waited for. *position* tells whether an attempt has come forward.

    A setting that has worked is waited for, too: a password may be renewed in Kafka before it is here.
    """
    backoff, start = Backoff(), position()
    while not stopping.is_set():
        began = position()
        try:
            return await attempt(stopping)
        except (KafkaFault, LoopFault) as fault:
            if isinstance(fault, SettingFault | RefusedFault) and position() == start:
                raise
            if position() != began:
                backoff.reset()
            seconds = backoff.next()
            tell([Waiting(f"{fault}", seconds)])
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), seconds)
    return ""


async def topics(kafka: Kafka, patterns: tuple[str, ...]) -> Mapping[str, int]:
    """Every topic that a pattern matches as a whole, with its partitions."""
    wanted = [re.compile(pattern) for pattern in patterns]
    async with faults(kafka, "read the list of topics", 2 * ANSWER), connected(kafka) as client:
        names = (await client.fetch_all_metadata()).topics()
        mine = [name for name in names if any(pattern.fullmatch(name) for pattern in wanted)]
        found = await topics_of(client, mine) if mine else {}
    return {topic: len(listed.leaders) for topic, listed in sorted(found.items())}


async def present(kafka: Kafka, patterns: tuple[str, ...]) -> Mapping[str, int] | None:
    """While brokers are away the topics stay what they were: None."""
    try:
        return await topics(kafka, patterns)
    except KafkaFault:
        return None


async def absent(kafka: Kafka, patterns: tuple[str, ...], read: AbstractSet[str]) -> str:
    """What to do about topics that should be there and are not; empty if all are. Of *read* records have been seen."""
    missing = _missing(patterns, await topics(kafka, patterns))
    if not missing:
        return ""
    if read & set(missing.split(", ")):  # brokers that start know little
        raise KafkaFault(f"topic {missing} is not there any more, or not yet again")
    mend = "Correct the name, allow Describe on it, or start the bridge first: it makes its topics"
    return f"there is no topic {missing}, or no permission to see it. {mend}"


def only_foreign(names: Sequence[str]) -> str:
    if not names:
        return ""
    return f"nothing in {', '.join(names)} is a record of the bridge's. Name the topic of a watch"


def _missing(patterns: tuple[str, ...], found: Mapping[str, int]) -> str:
    """Of those whose names the config file does not tell, any one is enough."""
    names = [_plain(pattern) for pattern in patterns]
    sure = [name for name, pattern in zip(names, patterns, strict=True) if re.escape(name) == pattern]
    missing = [name for name in sure if name not in found]
    return ", ".join(missing) if found else " or ".join(names)


def _plain(pattern: str) -> str:
    return re.sub(r"\\(.)", r"\1", pattern)
