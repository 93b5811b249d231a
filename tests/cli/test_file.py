from pathlib import Path

import pytest

from bridge.cli.file import read

MINIMAL = "standalone: true\nkafka: {{bootstrapServers: '{}:9092'}}\nwatches: [{{resource: pods}}]\n"


def test_the_option_goes_before_the_environment_and_that_before_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the help says: what is nearer to the person who typed wins."""
    for name in ("option", "environment", "bridge"):
        (tmp_path / f"{name}.yaml").write_text(MINIMAL.format(name))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVENT_BRIDGE_CONFIG", "environment.yaml")

    assert server(Path("option.yaml")) == "option:9092"
    assert server(None) == "environment:9092"
    monkeypatch.delenv("EVENT_BRIDGE_CONFIG")
    assert server(None) == "bridge:9092"


def server(option: Path | None) -> str:
    return read(option)[0].kafka.bootstrap_servers[0]
