"""packaging/: a unit that systemd takes, and that says of the bridge what is true."""

import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parent.parent / "packaging" / "event-bridge.service"


def service() -> dict[str, str]:
    """The last of each setting: enough for all but those that may stand twice."""
    section = UNIT.read_text().partition("[Service]")[2].partition("[Install]")[0]
    lines = [line for line in section.splitlines() if "=" in line and not line.startswith("#")]
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="SYSTEMD IS NOT HERE to judge the unit")
def test_systemd_takes_it(tmp_path: Path) -> None:
    """It warns of settings that it does not know, and ends well: so nothing may be said at all."""
    place = tmp_path / UNIT.name
    place.write_text(UNIT.read_text().replace("/opt/event-bridge/bin/event-bridge", "/bin/true"))
    told = subprocess.run(["systemd-analyze", "verify", place], capture_output=True, text=True, check=False)

    assert [line for line in told.stderr.splitlines() if UNIT.name in line] == []
    assert told.returncode == 0


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="SYSTEMD IS NOT HERE to judge the unit")
def test_it_is_among_the_hardened(tmp_path: Path) -> None:
    """systemd's own measure, from 0 to 10: below 2 is what it calls OK for a service that must reach the network."""
    place = tmp_path / UNIT.name
    place.write_text(UNIT.read_text())
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(place)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)

    assert told.returncode == 0, told.stdout


def test_its_times_and_codes_are_the_bridges() -> None:
    """10 s to end; 2 for a file that no restart mends; SIGHUP to look at the file anew."""
    said = service()

    assert int(said["TimeoutStopSec"]) > 10
    assert (said["Restart"], said["RestartPreventExitStatus"]) == ("on-failure", "2")
    assert said["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert said["ExecStart"].split()[1:] == ["run"]
    assert said["Environment"] == "EVENT_BRIDGE_CONFIG=/etc/event-bridge/bridge.yaml"
    assert (said["DynamicUser"], said["NoNewPrivileges"], said["ProtectSystem"]) == ("yes", "yes", "strict")
