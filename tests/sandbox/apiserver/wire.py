"""What a client gets over the wire, byte for byte, and how the answer ended."""

import asyncio
from typing import NamedTuple

import aiohttp

PATIENCE = 600.0
"""Seconds after which a stream counts as silent. The clock jumps."""


class Seen(NamedTuple):
    status: int
    body: bytes
    end: str
    """`end` in good order, `cut`, or `silent`."""


async def seen(url: str, path: str, headers: dict[str, str] | None = None, **query: str) -> Seen:
    body = b""
    async with (
        aiohttp.ClientSession(url, auto_decompress=False, timeout=aiohttp.ClientTimeout(total=None)) as session,
        session.get(path, params=query, headers=headers) as response,
    ):
        try:
            async with asyncio.timeout(PATIENCE):
                async for chunk in response.content.iter_any():
                    body += chunk
        except aiohttp.ClientPayloadError:
            return Seen(response.status, body, "cut")
        except TimeoutError:
            return Seen(response.status, body, "silent")
        return Seen(response.status, body, "end")
