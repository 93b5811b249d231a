"""The demo as a new user runs it: a process, its last line, and nothing left behind."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

DEMO = [sys.executable, "-m", "bridge", "demo", "--plain", "--pace", "0.1"]


def test_the_story_ends_with_the_proof() -> None:
    """It is what people judge the bridge by; and all of it happens for real, so it may fail."""
    done = subprocess.run(DEMO, capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d{2,} changes, 0 lost, 0 doubled, 1 announced gap \(", done.stdout, re.MULTILINE)
    assert "RESTARTED pods: expired (too old resource version" in done.stdout
    assert "inferred: nobody saw it" in done.stdout


def test_nothing_outlives_it(tmp_path: Path) -> None:
    """Not even when it is killed and cannot clean up: the bridge is tied to it."""
    with (tmp_path / "out").open("w") as out, subprocess.Popen([*DEMO, "--pace", "5"], stdout=out) as demo:
        deadline = time.monotonic() + 60
        while "RESTARTED" not in (tmp_path / "out").read_text():
            assert time.monotonic() < deadline, "the demo did not begin"
            time.sleep(0.05)
        (bridge,) = _children(demo.pid)
        demo.send_signal(signal.SIGKILL)
        demo.wait()
        while _runs(bridge):
            assert time.monotonic() < deadline, "the bridge lives on"
            time.sleep(0.05)


def test_who_reads_no_more_gets_no_traceback(tmp_path: Path) -> None:
    """`event-bridge demo --plain | head` is how people look at the beginning of things."""
    with (tmp_path / "err").open("w+") as err, subprocess.Popen(DEMO, stdout=subprocess.PIPE, stderr=err) as demo:
        assert demo.stdout is not None
        demo.stdout.readline()
        demo.stdout.close()
        demo.wait(60)
        err.seek(0)
        assert err.read() == ""


def test_a_full_disk_is_said() -> None:
    """One line, not a tree of exceptions."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(DEMO, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60)

    assert (done.returncode, done.stderr) == (1, "ERROR: [Errno 28] No space left on device\n")


def test_a_lost_terminal_leaves_nothing(tmp_path: Path) -> None:
    """SIGHUP ends it as Ctrl-C does: its directory goes too."""
    with subprocess.Popen(DEMO, stdout=subprocess.PIPE, env=os.environ | {"TMPDIR": str(tmp_path)}) as demo:
        assert demo.stdout is not None
        demo.stdout.readline()
        demo.stdout.readline()
        demo.send_signal(signal.SIGHUP)
        code = demo.wait(60)

    assert code == 128 + signal.SIGHUP
    assert list(tmp_path.iterdir()) == []


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
