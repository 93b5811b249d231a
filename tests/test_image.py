"""The Dockerfile, as far as it can be tried without an engine: its build stage's very commands, in another place."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCHEMA = (ROOT / "config" / "schema.json").read_text()
BIN = Path(sys.executable).parent
ABSOLUTE = ("/opt/build", "/opt/event-bridge", "/wheels")
"""The paths that the commands write to."""


def instructions() -> Iterator[tuple[str, str]]:
    """What the Dockerfile says, comments left out and continued lines joined."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if line and not line.startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        word, _, rest = line.partition(" ")
        yield word, rest.strip()


def stages() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    every = list(instructions())
    first, second = [at for at, (word, _) in enumerate(every) if word == "FROM"]
    return every[first:second], every[second:]


@pytest.mark.integration(timeout=600)
def test_the_build_stage_builds_a_bridge_that_runs(tmp_path: Path) -> None:
    """Locked wheels with hashes, the project's own wheel, the C codec, no pip left: every RUN line, as it stands.

    Marked so because it downloads the dependencies.
    """
    source = tmp_path / "src"
    source.mkdir()
    for word, rest in stages()[0]:
        if word == "COPY":
            *names, target = shlex.split(rest)
            for name in names:
                copy = source / target / (name if len(names) > 1 or target == "./" else "")
                subprocess.run(["cp", "-r", str(ROOT / name), str(copy)], check=True)
        elif word == "RUN":
            command = re.sub("|".join(ABSOLUTE), lambda path: f"{tmp_path}{path[0]}", rest)
            command = re.sub(r"^python | python ", f" {sys.executable} ", command)
            result = subprocess.run(command, shell=True, cwd=source, capture_output=True, text=True, check=False)
            assert result.returncode == 0, f"RUN {rest}\n{result.stdout}{result.stderr}"

    installed = tmp_path / "opt" / "event-bridge" / "bin"
    output = subprocess.run([installed / "event-bridge", "schema"], check=True, capture_output=True, text=True)
    assert output.stdout == SCHEMA
    assert not list(installed.glob("pip*"))


@pytest.mark.integration
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_locked_distribution_is_there_as_a_wheel(tmp_path: Path, machine: str) -> None:
    """For amd64 and arm64, on the image's Python and glibc, with the hash of the lock: nothing is compiled on either.

    Marked so because it downloads them.
    """
    python = re.fullmatch(r"BASE=python:(\d+\.\d+)-slim", next(rest for word, rest in instructions() if word == "ARG"))
    assert python is not None
    platforms = [f"--platform={kind}_{machine}" for kind in ("manylinux2014", "manylinux_2_28", "manylinux_2_34")]
    choice = ["--require-hashes", "--only-binary=:all:", "--no-deps", f"--python-version={python[1]}", *platforms]
    command = [sys.executable, "-m", "pip", "download", "--quiet", f"--dest={tmp_path}", *choice]
    told = subprocess.run([*command, "-r", ROOT / "requirements.lock"], capture_output=True, text=True, check=False)

    assert told.returncode == 0, told.stderr
    assert [file.name for file in tmp_path.glob(f"aiokafka-*_{machine}.whl")] != []


@pytest.mark.skipif(shutil.which("hadolint", path=BIN) is None, reason="HADOLINT HAS NO WHEEL FOR THIS MACHINE")
def test_hadolint_finds_nothing() -> None:
    """What is known to go wrong with Dockerfiles."""
    command = [BIN / "hadolint", ROOT / "Dockerfile"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (told.stdout, told.returncode) == ("", 0)


def test_the_health_check_is_a_command_of_ours() -> None:
    """There is no curl in the image, and none is needed."""
    (check,) = [rest for word, rest in stages()[1] if word == "HEALTHCHECK"]

    assert check.endswith('CMD ["event-bridge", "live"]')


def test_both_stages_are_on_one_base_that_can_be_pinned() -> None:
    """A digest is given once, at build; wheels of one Python do not run on another."""
    assert [rest.partition(" ")[0] for word, rest in instructions() if word == "FROM"] == ["${BASE}", "${BASE}"]


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    """A name that is wrong, or that `.dockerignore` hides, breaks the build only where there is an engine."""
    wanted = {name for word, rest in stages()[0] if word == "COPY" for name in shlex.split(rest)[:-1]}
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    assert wanted == allowed
    assert all((ROOT / name).exists() for name in wanted)


def test_the_image_runs_without_root_and_with_assertions() -> None:
    """A numeric user, so that `runAsNonRoot` can be checked; and no `-O`, which would switch the invariants off."""
    final = dict(stages()[1])

    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", final["USER"])
    assert (final["ENTRYPOINT"], final["CMD"]) == ('["event-bridge"]', '["run"]')
    assert "EVENT_BRIDGE_CONFIG=/etc/event-bridge/bridge.yaml" in final["ENV"]
    assert not [rest for word, rest in instructions() if word in {"ENV", "RUN"} and "PYTHONOPTIMIZE" in rest]
    assert "RUN" not in final, "nothing is installed into the final stage but what the first one built"


def test_the_image_names_the_projects_version() -> None:
    """One version, wherever it stands."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert ("ARG", f"VERSION={version}") in stages()[1]
