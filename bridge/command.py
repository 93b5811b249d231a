"""Running a program that hands out a credential: it has a deadline, and nothing that it says is shown.

What it prints may be the credential itself, also where it fails: so its complaints go nowhere, and a failure tells how
the program ended, never what it said.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence

MOST = 1 << 20
"""Bytes of an answer. A token with a certificate and its key has 10 KB; a program that never stops fills no memory."""
UNSEEN = "What it printed is not shown, for it may hold a credential: run it by hand to see it"


class CommandError(Exception):
    """There is no answer. Its text names the program and the mend."""


async def run(arguments: Sequence[str], environment: Mapping[str, str], seconds: float) -> bytes:
    """What the program prints, if it ends well within *seconds*. *environment* is put over our own."""
    name = arguments[0]
    try:
        process = await asyncio.create_subprocess_exec(
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    except (OSError, ValueError) as error:  # not there, not executable; an argument that no program can be given
        why = error.strerror if isinstance(error, OSError) else "an argument holds a NUL"
        raise CommandError(f"{name}: {why}") from None
    try:
        async with asyncio.timeout(seconds):
            said = await _answer(process, name)
            code = await process.wait()
    except TimeoutError:
        raise CommandError(f"{name} gave no answer within {seconds:.0f} s") from None
    finally:
        await _end(process)
    if code != 0:
        raise CommandError(f"{name} ended with {code}. {UNSEEN}")
    return said


async def _answer(process: asyncio.subprocess.Process, name: str) -> bytes:
    assert process.stdout is not None
    said = bytearray()
    while chunk := await process.stdout.read(1 << 16):
        said += chunk
        if len(said) > MOST:
            raise CommandError(f"{name} printed more than {MOST >> 20} MiB, which is no credential. {UNSEEN}")
    return bytes(said)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Nothing of a program outlives its answer: it may have children that hold its output.

    Its transport is closed first: `wait` waits for the pipe, which a child in a session of its own may hold for ever.
    """
    assert process.stdout is not None
    if process.returncode is None or not process.stdout.at_eof():  # who holds the pipe is still of its group
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it may end at this very moment
            os.killpg(process.pid, signal.SIGKILL)
    process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001
    await process.wait()
