from pathlib import Path

import pytest

from bridge.cli.file import read
from bridge.config.problem import ConfigError

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


def test_what_cannot_be_run_yet_is_refused_with_the_files_name(tmp_path: Path) -> None:
    """A rule of the version, not of the file: it stands with the file all the same."""
    file = tmp_path / "a.yaml"
    file.write_text("kafka: {bootstrapServers: 'k:9092'}\nwatches: [{resource: pods}]\n")

    with pytest.raises(ConfigError) as error:
        read(file)

    assert [(problem.file, problem.path) for problem in error.value.problems] == [(str(file), "standalone")]


def server(option: Path | None) -> str:
    return read(option)[0].kafka.bootstrap_servers[0]
