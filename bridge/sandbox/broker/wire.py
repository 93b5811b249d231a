"""One client's connection: requests in, in order, and an answer to each before the next is looked at, as in Kafka."""

import asyncio
import struct

from bridge.sandbox.broker.answers import Answers, Lost
from bridge.sandbox.broker.apis import Unreadable, decode, encode

BIGGEST = 100 * 1024 * 1024
"""Bytes of one request (socket.request.max.bytes). What claims more is no Kafka client."""


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: Answers) -> None:
    """Until the client goes, or says what cannot be understood. Leaves the connection closed."""
    try:
        while True:
            (size,) = struct.unpack(">i", await reader.readexactly(4))
            if not 0 < size <= BIGGEST:
                return
            request = decode(await reader.readexactly(size))
            answer = await answers.answer(request)
            if answer is not None:
                data = encode(request, answer)
                writer.write(struct.pack(">i", len(data)) + data)
                await writer.drain()
    except (asyncio.IncompleteReadError, OSError, Unreadable, Lost):
        pass
    finally:
        writer.transport.abort()
