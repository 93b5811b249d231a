"""`event-bridge verify` as a process, beside whatever else the test runs."""

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.bridge_process import ROOT

Fields = dict[str, Any]


async def event_bridge_verify(config: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", "verify", "-c", str(config), *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "COLUMNS"},
    )
    output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


async def verified(config: Path, *arguments: str) -> tuple[int, Fields]:
    """Exit code and report."""
    code, output, errors = await event_bridge_verify(config, "--output", "json", *arguments)
    assert errors == ""
    report: Fields = json.loads(output)
    assert report["ok"] == (code == 0)
    return code, report


async def until_equal(config: Path, seconds: float = 90.0) -> Fields:
    """A bridge that has just been started needs a moment to make its topics."""
    until = time.monotonic() + seconds
    while True:
        code, report = await verified(config)
        if code == 0:
            return report
        assert time.monotonic() < until, report


def keys(stream: Fields) -> dict[str, list[str]]:
    """What differs, by kind."""
    kinds = ("missing", "extra", "stale", "lagging")
    return {kind: [finding["key"] for finding in stream[kind]] for kind in kinds}
