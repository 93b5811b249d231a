"""Kafka's own command line tools, which are Java's client."""

import shutil
import subprocess
from pathlib import Path

import pytest

POM = Path(__file__).parent / "contract" / "broker" / "java" / "pom.xml"
FETCH = 300.0
"""Seconds: the first time, the jars are fetched."""
PATIENCE = 90.0
"""Seconds for one command: a Java that starts on a busy machine, and a real broker."""


def fetch(place: Path) -> Path:
    """The jars, below *place*. Skips the test where a program is missing, by name."""
    for needed in ("java", "mvn"):
        if shutil.which(needed) is None:
            pytest.skip(f"TOOL MISSING: {needed}, so Kafka's own tools were not tried")
    shutil.copy(POM, place)
    command = ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={place}/lib"]
    ended = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, timeout=FETCH)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return place / "lib"


def run(jars: Path, name: str, *words: str, said: str = "") -> str:
    """A class of org.apache.kafka.tools with these arguments; *said* to it, and what it prints."""
    main = ["java", "-cp", f"{jars}/*", f"org.apache.kafka.tools.{name}"]
    ended = subprocess.run([*main, *words], input=said, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
