"""`bridge.sink.producer`, as far as it needs no broker."""

import json
import os
import subprocess
import sys
from pathlib import Path

from bridge.sink.producer import assert_fast


def test_the_c_codec_is_there() -> None:
    assert_fast()


def test_a_check_tells_that_the_c_codec_is_missing(tmp_path: Path) -> None:
    """An operator asks `check` first: it must not call a setup good that no producer would start in."""
    config = tmp_path / "bridge.yaml"
    config.write_text(
        "standalone: true\nkubernetes: {kubeconfig: nowhere}\n"
        "kafka: {bootstrapServers: '127.0.0.1:1'}\nwatches: [{resource: pods}]\n"
    )

    done = subprocess.run(
        [sys.executable, "-m", "bridge", "check", "-c", str(config), "--output", "json"],
        env={**os.environ, "AIOKAFKA_NO_EXTENSIONS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert json.loads(done.stdout)["kafka"]["problem"].startswith("aiokafka runs without its C extension")
    assert done.returncode == 1


def test_without_the_c_codec_nothing_starts() -> None:
    """aiokafka says nothing, and is thirty times slower: nobody would know why."""
    program = "from bridge.sink.producer import assert_fast\nassert_fast()"

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "AIOKAFKA_NO_EXTENSIONS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert "aiokafka runs without its C extension" in done.stderr
    assert "AIOKAFKA_NO_EXTENSIONS" in done.stderr
