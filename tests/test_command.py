"""`bridge.command`: a program is run for its credential, and nothing that it says is shown."""

import asyncio
import time
from pathlib import Path

import pytest

from bridge.command import CommandError, run


def script(directory: Path, text: str) -> str:
    program = directory / "program"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return str(program)


def test_its_answer_and_nothing_else(tmp_path: Path) -> None:
    """It may complain as much as it likes; arguments and environment arrive as they were written."""
    program = script(tmp_path, 'head -c 400000 /dev/zero >&2; echo "$1 $X"')

    assert asyncio.run(run([program, "a b"], {"X": "c"}, 10.0)) == b"a b c\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("echo S3CRET; echo S3CRET >&2; exit 3", "ended with 3. What it printed is not shown"),
        ("yes S3CRET", "printed more than 1 MiB, which is no credential"),
        ("echo S3CRET; sleep 600", "gave no answer within 1 s"),
        ("kill -9 $$", "ended with -9. What it printed is not shown"),
    ],
)
def test_what_fails_is_named_without_what_it_said(text: str, message: str, tmp_path: Path) -> None:
    """Logs are read by many, and what a login command prints may be the login."""
    program, began = script(tmp_path, text), time.monotonic()

    with pytest.raises(CommandError) as caught:
        asyncio.run(run([program], {}, 1.0))

    assert str(caught.value).startswith(f"{program} {message}")
    assert "S3CRET" not in str(caught.value)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("text", ["setsid sleep 20 & sleep 600", "setsid sleep 20 & echo tok", "sleep 20 & echo tok"])
def test_a_child_that_holds_the_pipe_is_not_waited_for(text: str, tmp_path: Path) -> None:
    """An agent or a multiplexer that a login command leaves behind must not hang every request of the process."""
    program, began = script(tmp_path, text), time.monotonic()

    with pytest.raises(CommandError, match="gave no answer within 1 s"):
        asyncio.run(run([program], {}, 1.0))

    assert time.monotonic() - began < 10


def test_what_cannot_be_run_is_named() -> None:
    for arguments, why in (
        (["/no/such"], "/no/such: No such file or directory"),
        (["echo", "\0"], "echo: an argument holds a NUL"),
    ):
        with pytest.raises(CommandError, match=why):
            asyncio.run(run(arguments, {}, 1.0))
