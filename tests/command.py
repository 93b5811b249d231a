"""`event-bridge COMMAND`, as it is typed."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct

ROOT = Path(__file__).parent.parent


class Answer(Struct, frozen=True):
    code: int
    output: str
    errors: str


async def event_bridge(
    command: str, config: Mapping[str, Any], directory: Path, *arguments: str, **environment: str
) -> Answer:
    """Of a file with *config*, which is written into *directory*."""
    file = directory / f"{command}.yaml"
    file.write_text(yaml.safe_dump(dict(config)))
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "bridge", command, "-c", str(file), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "COLUMNS"} | environment,
    )
    return Answer(ended.returncode, ended.stdout, ended.stderr)
