"""The bridge as users run it: a process with a config file, killed as the world does it."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from bridge.demo.ledger import STREAMS

CONFIG = """\
standalone: true
cluster: demo
kubernetes: {{kubeconfig: "{kubeconfig}"}}
kafka: {{bootstrapServers: "{bootstrap}"}}
checkpoints: {{partitions: 4}}
log: {{format: json}}
http: {{listen: "127.0.0.1:0"}}
watches:
{watches}
"""
END = 12.0
"""Seconds: the bridge promises to end within 10."""


def topic_of(stream: str) -> str:
    return f"k8s.{stream}"


class Bridge:
    """Owns the process, at most one. Its log is a file in *directory*."""

    def __init__(self, directory: Path, kubeconfig: Path, bootstrap: str) -> None:
        self.config = directory / "bridge.yaml"
        self.log = directory / "bridge.log"
        watches = "\n".join(
            f"  - {{name: {stream}, resource: {resource}, topic: {topic_of(stream)}}}"
            for stream, resource in STREAMS.items()
        )
        self.config.write_text(CONFIG.format(kubeconfig=kubeconfig, bootstrap=bootstrap, watches=watches))
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """None while it does not run."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        assert self.pid is None, "one at a time"
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bridge.demo.tether", str(os.getpid())),
                *(sys.executable, "-m", "bridge", "run", "-c", str(self.config)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the demo, which ends it in order
            )

    async def kill(self) -> None:
        """SIGKILL. No error if it does not run."""
        if self._process is not None and self.pid is not None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()

    async def terminate(self) -> int:
        """SIGTERM; the exit code. Killed if it does not end in time."""
        assert self._process is not None
        self._process.terminate()
        try:
            async with asyncio.timeout(END):
                return await self._process.wait()
        except TimeoutError:
            await self.kill()
            raise
