"""No secret is ever shown: everything that the bridge says, in good runs and in failing ones, is searched for each."""

import asyncio
import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.bridge_process import ROOT
from tests.integration.test_source_session import kubeconfig
from tests.servers.apiserver import Cluster
from tests.servers.ports import free_ports
from tests.servers.secure import SecureBroker, certificate, token_for

SECRETS = {
    "password": "p4ss-hunter-one",
    "wrong": "wr0ng-hunter-two",
    "basic": "b4sic-hunter-three",
    "api": "4pi-hunter-four",
    "argument": "arg-hunter-five",
    "proxy": "pr0xy-hunter-six",
    "forged": token_for("bridge", algorithm="RS256"),
    "spent": token_for("bridge", -3600.0),
    "token": token_for("bridge"),
}
COMMANDS = ("check", "check --output json", "run", "verify", "tail --once", "materialize --db FILE --once")

Config = dict[str, Any]


@pytest.fixture
def broker(servers: Path, tmp_path: Path) -> Iterator[SecureBroker]:
    assert servers.is_dir()
    for name in ("server", "client"):
        certificate(tmp_path, name)
    trusted = "".join((tmp_path / f"{name}.crt").read_text() for name in ("server", "client"))
    (tmp_path / "trusted.crt").write_text(trusted)
    with SecureBroker(tmp_path, {"bridge": SECRETS["password"]}) as broker:
        yield broker


@pytest.mark.integration(timeout=590)
async def test_no_output_holds_a_secret(cluster: Cluster, broker: SecureBroker, tmp_path: Path) -> None:
    """Logs go to many eyes, and error messages into tickets. Searched plain, in base64, and by the parts of a token."""
    stage = Stage(cluster, broker, tmp_path)
    said: dict[str, str] = {}
    for name, config in stage.runs().items():
        for command in COMMANDS if name in ("good", "wrong password") else ("check", "run"):
            said[f"{name}: {command}"] = await stage.output(config, command)

    shown = {(run, name) for run, output in said.items() for name, text in stage.secrets() if text in output}
    assert shown == set()
    # Each run came as far as it was meant to: a bridge that says nothing shows nothing.
    missing = {
        f"{name}: {command}: {words}"
        for name, words in EXPECTED.items()
        for command in ("check", "run")
        if words not in " ".join(said[f"{name}: {command}"].split())
    }
    assert missing == set()


EXPECTED = {
    "good": "",
    "wrong password": "refused the login of bridge (kafka.sasl)",
    "wrong scram": "refused the login of bridge (kafka.sasl)",
    "token refused": "refused the token of kafka.sasl.token.file",
    "token expired": "the token has expired",
    "command fails": "ended with 7",
    "unreachable": "no broker of kafka.bootstrapServers",
    "plugin fails": "ended with 7",
    "plugin prints garbage": "is no ExecCredential",
    "basic auth": "system:anonymous",
    "wrong token": "refused our credentials",
    "proxy": "",
    "broken kubeconfig": "no YAML, line",
    "password too high": "kafka.sasl",
    "password is a list": "kafka.sasl.password",
    "password twice": "kafka.sasl",
    "command is text": "kafka.sasl.token.command",
}


class Stage:
    """Configs that hold secrets, and what the bridge says to each."""

    def __init__(self, cluster: Cluster, broker: SecureBroker, directory: Path) -> None:
        self._cluster, self._broker, self._directory = cluster, broker, directory
        self._key = (directory / "client.key").read_text().splitlines()[5]
        for name in ("forged", "spent", "token"):
            (directory / name).write_text(SECRETS[name])

    def secrets(self) -> list[tuple[str, str]]:
        plain = {**SECRETS, "key": self._key, "administrator": self._cluster.token}
        coded = {f"{name}, in base64": base64.b64encode(text.encode()).decode() for name, text in plain.items()}
        basic = base64.b64encode(f"me:{SECRETS['basic']}".encode()).decode()
        payload = SECRETS["token"].split(".")[1]
        return [*plain.items(), *coded.items(), ("basic, as a header", basic), ("token's payload", payload)]

    def runs(self) -> dict[str, Config | str]:
        [nobody] = free_ports(1)
        scram = {"mechanism": "SCRAM-SHA-512", "username": "bridge", "password": SECRETS["wrong"]}
        return {
            "good": self._config(),
            "wrong password": self._config(sasl=plain(SECRETS["wrong"])),
            "wrong scram": self._config(sasl=scram),
            "token refused": self._config(sasl=bearer({"file": str(self._directory / "forged")})),
            "token expired": self._config(sasl=bearer({"file": str(self._directory / "spent")})),
            "command fails": self._config(sasl=bearer({"command": [self._program("failing"), SECRETS["argument"]]})),
            "unreachable": self._config(bootstrapServers=f"127.0.0.1:{nobody}"),
            "plugin fails": self._config({"exec": self._plugin("failing")}),
            "plugin prints garbage": self._config({"exec": self._plugin("garbage")}),
            "basic auth": self._config({"username": "me", "password": SECRETS["basic"]}),
            "wrong token": self._config({"token": SECRETS["api"]}),
            "proxy": self._config({"token": SECRETS["api"]}, f"http://me:{SECRETS['proxy']}@127.0.0.1:{nobody}"),
            "broken kubeconfig": self._config(f"users:\n- user:\n    token: {SECRETS['api']}: x\n"),
            "password too high": self._config(sasl=SECRETS["password"]),
            "password is a list": self._config(sasl=plain([SECRETS["password"]])),
            "password twice": yaml.safe_dump(self._config(sasl={})).replace(
                "sasl: {}", f"sasl: {{password: {SECRETS['password']}, password: {SECRETS['password']}}}"
            ),
            "command is text": self._config(sasl=bearer({"command": f"get {SECRETS['argument']}"})),
        }

    async def output(self, config: Config | str, command: str) -> str:
        """All that it says until it ends, or, if it goes on for ever, within some seconds; at level debug."""
        file = self._directory / "bridge.yaml"
        file.write_text(config if isinstance(config, str) else yaml.safe_dump(config))
        arguments = command.replace("FILE", str(self._directory / "objects.db")).split()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-X", "dev", "-m", "bridge", *arguments, "-c", str(file)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={**os.environ, "COLUMNS": "2000"},
        )
        ending = asyncio.get_running_loop().call_later(6.0 if command == "run" else 60.0, process.terminate)
        output, _ = await process.communicate()
        ending.cancel()
        return output.decode()

    def _config(self, user: object = None, proxy: str = "", **kafka: object) -> Config:
        """Without a *user*: the administrator, by a token."""
        files = {"ca": "server.crt", "cert": "client.crt", "key": "client.key"}
        tls = {field: str(self._directory / name) for field, name in files.items()}
        secure = {"bootstrapServers": self._broker.secure, "tls": tls, "sasl": plain(SECRETS["password"])}
        return {
            "name": "secret",
            "standalone": True,
            "kubernetes": {"kubeconfig": self._kubeconfig(user, proxy)},
            "kafka": {**secure, **kafka},
            "topics": {"partitions": 1},
            "checkpoints": {"partitions": 1},
            "watches": [{"resource": "configmaps", "namespaces": ["default"], "topic": "secret.configmaps"}],
            "log": {"level": "debug"},
        }

    def _kubeconfig(self, user: object, proxy: str) -> str:
        path = self._directory / f"kubeconfig-{len(list(self._directory.glob('kubeconfig-*')))}"
        if isinstance(user, str):
            path.write_text(user)
            return str(path)
        more = {"proxy-url": proxy} if proxy else {}
        assert user is None or isinstance(user, dict)
        return kubeconfig(path, self._cluster, user or {"token": self._cluster.token}, **more)

    def _plugin(self, name: str) -> Config:
        version = "client.authentication.k8s.io/v1"
        environment = [{"name": "LOGIN", "value": SECRETS["argument"]}]
        return {
            "apiVersion": version,
            "command": self._program(name),
            "args": [SECRETS["argument"]],
            "env": environment,
        }

    def _program(self, name: str) -> str:
        """It prints the token, and what it was given, wherever it can."""
        told = f"cat '{self._directory / 'token'}'; echo \"$1 $LOGIN\""
        program = self._directory / name
        program.write_text(f"#!/bin/sh\n({told})\n({told}) >&2\nexit {7 if name == 'failing' else 0}\n")
        program.chmod(0o755)
        return str(program)


def plain(password: object) -> Config:
    return {"mechanism": "PLAIN", "username": "bridge", "password": password}


def bearer(token: Config) -> Config:
    return {"mechanism": "OAUTHBEARER", "token": token}
