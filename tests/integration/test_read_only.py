"""A root file system that cannot be written, as the manifests ask for."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker

READ_ONLY = ["unshare", "--mount", "sh", "-c", 'mount -o remount,bind,ro / && exec "$@"', "sh"]
IS_ALLOWED = (
    shutil.which("unshare") is not None
    and subprocess.run([*READ_ONLY, "true"], capture_output=True, check=False).returncode == 0
)


@pytest.mark.skipif(not IS_ALLOWED, reason="ONLY ROOT may mount a root file system that cannot be written")
def test_both_servers_are_reached_from_a_root_that_cannot_be_written(
    cluster: Cluster, broker: Broker, tmp_path: Path
) -> None:
    """OpenSSL takes keys from files only: they go through /dev/shm, and nothing else is written anywhere."""
    config = {
        "kubernetes": {"kubeconfig": str(cluster.kubeconfig)},
        "kafka": {"bootstrapServers": broker.bootstrap},
        "name": "read-only",
        "watches": [{"resource": "configmaps", "topic": "read-only"}],
    }
    (tmp_path / "bridge.yaml").write_text(yaml.safe_dump(config))
    written = subprocess.run([*READ_ONLY, "touch", tmp_path / "x"], capture_output=True, text=True, check=False)
    told = subprocess.run(
        [*READ_ONLY, sys.executable, "-m", "bridge", "check", "-c", str(tmp_path / "bridge.yaml"), "-o", "json"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )

    assert "Read-only file system" in written.stderr
    assert (told.returncode, told.stderr) == (0, "")
    assert json.loads(told.stdout)["ok"] is True
