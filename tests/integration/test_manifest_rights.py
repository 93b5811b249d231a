"""The rights in `k8s/` are those that `event-bridge rbac` and `acls` print for the same config files."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.tools.kustomize import Object, config_of, one, render

ROOT = Path(__file__).parent.parent.parent
SPACES = {
    "base": "event-bridge",
    "overlays/single": "event-bridge",
    "overlays/one-namespace": "team-a",
    "sidecar": "shop",
}


@pytest.mark.parametrize("folder", SPACES)
def test_the_role_is_the_one_that_rbac_prints(tools: Path, tmp_path: Path, folder: str) -> None:
    """Written by hand for people to read, and held to the table that the bridge itself is checked by."""
    objects = render(tools, folder)
    printed = told(tmp_path, config_of(objects), SPACES[folder], "rbac", "--offline")
    kinds = ("Role", "ClusterRole")

    assert [rules(each) for each in objects if each["kind"] in kinds] == [
        rules(each) for each in printed if each["kind"] in kinds
    ]


def test_strimzis_user_is_the_one_that_acls_prints(tools: Path, tmp_path: Path) -> None:
    config = re.sub(r"/etc/event-bridge-kafka", str(tmp_path), config_of(render(tools, "overlays/strimzi")))
    for name in ("password", "ca.crt"):
        (tmp_path / name).write_text("secret")
    printed = told(tmp_path, config, "event-bridge", "acls", "--format=strimzi", "--strimzi-cluster=my-cluster")

    assert [one(render(tools, "kafka"), "KafkaUser")["spec"]] == [each["spec"] for each in printed]


def told(directory: Path, config: str, space: str, *arguments: str) -> list[Object]:
    (directory / "bridge.yaml").write_text(config)
    command = [sys.executable, "-m", "bridge", *arguments, "-c", str(directory / "bridge.yaml")]
    environment = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092", "POD_NAMESPACE": space}
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    assert result.returncode == 0, result.stderr
    return list(yaml.safe_load_all(result.stdout))


def rules(role: Object) -> list[str]:
    """In whatever order they stand."""
    return sorted(
        json.dumps({name: sorted(values) for name, values in rule.items()}, sort_keys=True) for rule in role["rules"]
    )
