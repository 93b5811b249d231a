"""Every login that Kafka knows, on a real broker; and secrets that are renewed on disk under a running bridge."""

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.config.kafka import Kafka, Sasl, Tls, Token
from bridge.config.secret import Secret
from bridge.config.units import Duration
from bridge.sink.connection import KafkaFault, SettingFault
from bridge.sink.producer import Producer
from tests.audit.topics import read_topic
from tests.bridge_process import BridgeProcess
from tests.integration.test_cli_check import check
from tests.servers.apiserver import Cluster
from tests.servers.secure import SecureBroker, certificate, token_for

PASSWORD = "b$idge-passw0rd"


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    directory = tmp_path / "certificates"
    directory.mkdir()
    renew(directory)
    return directory


def renew(directory: Path) -> None:
    """Another server, another client, that trust each other."""
    for name in ("server", "client"):
        certificate(directory, name)
    trusted = "".join((directory / f"{name}.crt").read_text() for name in ("server", "client"))
    (directory / "trusted.crt").write_text(trusted)


@pytest.fixture
def broker(servers: Path, certificates: Path) -> Iterator[SecureBroker]:
    assert servers.is_dir()
    with SecureBroker(certificates, {"bridge": PASSWORD}, **{"connections.max.reauth.ms": "8000"}) as broker:
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
            broker.set_password("bridge", PASSWORD, mechanism)
        yield broker


def by_password(mechanism: Any, password: str) -> Sasl:  # noqa: ANN401 - a literal
    return Sasl(mechanism=mechanism, username="bridge", password=Secret(password))


def by_token(**where: Any) -> Sasl:  # noqa: ANN401
    return Sasl(mechanism="OAUTHBEARER", token=Token(**where))


async def refusal(kafka: Kafka) -> str:
    with pytest.raises(SettingFault) as caught:
        await Producer.start(kafka, "p")
    return str(caught.value)


@pytest.mark.integration(timeout=300)
async def test_every_login_over_mutual_tls(broker: SecureBroker, certificates: Path, tmp_path: Path) -> None:
    """The right one works; a wrong one is named with its setting, and never shown."""

    def over(sasl: Sasl | None) -> Kafka:
        ca, cert, key = (str(certificates / name) for name in ("server.crt", "client.crt", "client.key"))
        tls = Tls(ca=ca, cert=cert, key=key)
        servers = (broker.secure,)
        return Kafka(bootstrap_servers=servers, transaction_timeout=Duration(10.0), tls=tls, sasl=sasl)

    good, spent, printing = tmp_path / "token", tmp_path / "spent", token_for("bridge")
    good.write_text(token_for("bridge") + "\n")
    spent.write_text(token_for("bridge", -30.0))
    for sasl in (
        *(by_password(mechanism, PASSWORD) for mechanism in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")),
        by_token(file=str(good)),
        by_token(command=(Secret("echo"), Secret(printing))),
    ):
        producer = await Producer.start(over(sasl), "p")
        await producer.kill()

    for mechanism in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"):
        said = await refusal(over(by_password(mechanism, "wr0ng-password")))
        assert f"Kafka at {broker.secure} refused the login of bridge (kafka.sasl)" in said
        assert "wr0ng-password" not in said
    said = await refusal(over(by_token(file=str(spent))))
    assert f"Kafka at {broker.secure} refused the token of kafka.sasl.token.file ({spent})" in said
    assert "invalid_token" in said
    assert spent.read_text() not in said
    said = await refusal(over(by_token(file=str(tmp_path / "gone"))))
    assert said == (
        f'no login for Kafka at {broker.secure}: Unable connect to "{broker.secure}":'
        f" kafka.sasl.token.file ({tmp_path / 'gone'}): No such file or directory"
    )
    with pytest.raises(KafkaFault):
        await Producer.start(over(None), "p")


def config_for(cluster: Cluster, broker: SecureBroker, certificates: Path, sasl: dict[str, Any]) -> dict[str, Any]:
    names = {"ca": "server.crt", "cert": "client.crt", "key": "client.key"}
    return {
        "name": "renewed",
        "standalone": True,
        "kubernetes": {"kubeconfig": str(cluster.kubeconfig)},
        "kafka": {
            "bootstrapServers": broker.secure,
            "tls": {field: str(certificates / name) for field, name in names.items()},
            "sasl": sasl,
        },
        "topics": {"partitions": 1},
        "checkpoints": {"partitions": 1},
        "watches": [{"resource": "configmaps", "namespaces": ["default"], "topic": "renewed.configmaps"}],
    }


async def change(cluster: Cluster, name: str) -> None:
    async with cluster.kube() as kube:
        await kube.create("/api/v1/namespaces/default/configmaps", {"metadata": {"name": name}})


async def arrives(broker: SecureBroker, name: str, seconds: float) -> None:
    """Exactly once."""
    key = f"configmaps/default/{name}".encode()
    until = time.monotonic() + seconds
    while True:
        entries = (await read_topic(broker.bootstrap, "renewed.configmaps")).entries
        found = [entry.offset for entry in entries if entry.key == key]
        if found:
            assert len(found) == 1
            return
        assert time.monotonic() < until, f"{name} did not arrive within {seconds} s"
        await asyncio.sleep(0.5)


@pytest.mark.integration(timeout=400)
async def test_all_of_it_is_renewed_under_a_running_bridge(
    cluster: Cluster, broker: SecureBroker, certificates: Path, tmp_path: Path
) -> None:
    """Every company renews: the brokers' certificate, ours, and the password, at once and half written. No restart."""
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    sasl = {"mechanism": "SCRAM-SHA-512", "username": "bridge", "password": {"file": str(password)}}
    config = config_for(cluster, broker, certificates, sasl)
    with BridgeProcess(config, tmp_path) as bridge:
        bridge.start()
        await asyncio.to_thread(bridge.says, "relist completed", 60)
        await change(cluster, "before")
        await arrives(broker, "before", 30)

        await asyncio.to_thread(broker.set_password, "bridge", "an0ther-secret", "SCRAM-SHA-512")
        await asyncio.to_thread(broker.stop)
        await asyncio.to_thread(renew, certificates)
        key = (certificates / "client.key").read_text()
        (certificates / "client.key").write_text(key[:600])
        password.write_text("")
        await asyncio.to_thread(broker.start)
        await change(cluster, "renewed")
        await asyncio.to_thread(bridge.says, "credential not renewed", 60)
        (certificates / "client.key").write_text(key)
        password.write_text("an0ther-secret\n")
        await arrives(broker, "renewed", 120)

        assert bridge.is_running
        assert bridge.lives == 1
        assert await asyncio.to_thread(bridge.terminate) == 0
    log = bridge.log.read_text()
    assert [secret for secret in (PASSWORD, "an0ther-secret", key[100:140]) if secret in log] == []


@pytest.mark.integration(timeout=400)
async def test_a_command_that_fails_for_a_while(
    cluster: Cluster, broker: SecureBroker, certificates: Path, tmp_path: Path
) -> None:
    """Tokens of seconds, a broker that cuts whoever lives longer: nothing is lost or doubled, the trouble is named."""
    program, printed = tmp_path / "get-token", tmp_path / "printed"

    def makes(script: str) -> None:
        fresh = tmp_path / "fresh"
        fresh.write_text(f"#!/bin/sh\n{script}\n")
        fresh.chmod(0o755)
        fresh.replace(program)

    issue = "from tests.servers.secure import token_for as t; print(t('bridge', 10))"
    makes(f'{sys.executable} -c "{issue}" | tee -a {printed}')
    config = config_for(
        cluster,
        broker,
        certificates,
        {"mechanism": "OAUTHBEARER", "token": {"command": [str(program), "--key", "K3Y"]}},
    )
    with BridgeProcess(config, tmp_path) as bridge:
        bridge.start()
        await asyncio.to_thread(bridge.says, "relist completed", 60)
        for number in range(20):  # through two lives of a connection
            await change(cluster, f"token-{number}")
            await asyncio.sleep(1)
        await arrives(broker, "token-19", 60)

        makes(f"cat {printed}; cat {printed} >&2; exit 7")
        await change(cluster, "late")
        named = f"kafka.sasl.token.command ({program}): {program} ended with 7"
        await asyncio.to_thread(bridge.says, named, 90)
        code, report = await check(tmp_path, config)
        assert code == 1
        assert named in report["kafka"]["problem"]
        makes(f'{sys.executable} -c "{issue}"')
        await arrives(broker, "late", 90)
        assert await asyncio.to_thread(bridge.terminate) == 0

    for number in range(20):
        await arrives(broker, f"token-{number}", 0)
    seen = bridge.log.read_text() + str(report)
    tokens = printed.read_text().split()
    assert len(tokens) > 1
    assert [secret for secret in (*tokens, "K3Y") if secret in seen] == []
