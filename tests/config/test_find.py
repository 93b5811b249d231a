from pathlib import Path

import pytest

from bridge.config.find import find
from bridge.config.problem import ConfigError


def test_the_option_wins_over_the_environment_over_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearer to the command, the stronger: as users know it from kubectl."""
    monkeypatch.chdir(tmp_path)
    for name in ("option.yaml", "env.yaml", "bridge.yaml"):
        (tmp_path / name).touch()
    env = {"EVENT_BRIDGE_CONFIG": str(tmp_path / "env.yaml")}

    assert find(tmp_path / "option.yaml", env) == tmp_path / "option.yaml"
    assert find(None, env) == tmp_path / "env.yaml"
    assert find(None, {}) == Path("bridge.yaml")
    assert find(None, {"EVENT_BRIDGE_CONFIG": ""}) == Path("bridge.yaml")


def test_an_absent_file_is_named_with_the_way_it_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Falling back to another file in silence would run the wrong config."""
    monkeypatch.chdir(tmp_path)
    absent = tmp_path / "absent.yaml"

    assert message(absent, {}) == f"{absent}: the config file (named by --config) does not exist. Correct the path."
    assert message(None, {"EVENT_BRIDGE_CONFIG": str(absent)}) == (
        f"{absent}: the config file (named by $EVENT_BRIDGE_CONFIG) does not exist. Correct the path."
    )
    assert message(tmp_path, {}) == f"{tmp_path}: the config file (named by --config) is a folder. Correct the path."
    assert message(None, {}) == (
        "no config file: neither --config nor $EVENT_BRIDGE_CONFIG is given, and ./bridge.yaml does not exist."
        " Name one with --config FILE, or begin with a bridge.yaml here."
    )


def message(option: Path | None, env: dict[str, str]) -> str:
    with pytest.raises(ConfigError) as caught:
        find(option, env)
    return str(caught.value)
