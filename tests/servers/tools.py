"""Are Go, Java and Maven here, and new enough? Each answer is a sentence for the person who lacks one."""

import re
import shutil
import subprocess

from tests.servers import versions

WITHOUT = "(unit tests run without: `make unit`)"


def missing_for_build() -> list[str]:
    """Go and Maven build; Java runs Maven, and the broker afterwards."""
    return [line for line in [_go(), _maven(), _java()] if line]


def missing_for_start() -> list[str]:
    """What a built cache still needs."""
    return [line for line in [_java()] if line]


def missing_for_tools() -> list[str]:
    """What kustomize and promtool are built with."""
    return [line for line in [_go()] if line]


def _go() -> str:
    wanted = f"{versions.GO[0]}.{versions.GO[1]}"
    if not shutil.which("go"):
        return f"Go is missing: version {wanted} or newer compiles what the tests run on {WITHOUT}"
    found = _output("go", "env", "GOVERSION")
    match = re.search(r"(\d+)\.(\d+)", found)
    if not match or (int(match[1]), int(match[2])) < versions.GO:
        return f"Go is too old: {found.strip()} found, {wanted} or newer needed (`go.mod` says so) {WITHOUT}"
    return ""


def _maven() -> str:
    if shutil.which("mvn"):
        return ""
    return f"Maven is missing: `mvn` fetches Kafka's jars {WITHOUT}"


def _java() -> str:
    if not shutil.which("java"):
        return f"Java is missing: version {versions.JAVA} or newer runs the Kafka broker {WITHOUT}"
    found = _output("java", "-version")
    match = re.search(r'version "(\d+)', found)
    if not match or int(match[1]) < versions.JAVA:
        return f"Java is too old: {versions.JAVA} or newer runs Kafka {versions.KAFKA}, found {found.strip()} {WITHOUT}"
    return ""


def _output(*command: str) -> str:
    """Both streams: Java tells its version on stderr."""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout + result.stderr
