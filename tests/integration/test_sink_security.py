"""TLS and access rules on a real broker: what works, and what a refusal says."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.config.kafka import Kafka, Sasl, Tls
from bridge.config.secret import Secret
from bridge.config.units import Duration
from bridge.sink import topics
from bridge.sink.connection import KafkaFault, SettingFault
from bridge.sink.producer import Producer
from tests.servers.kafka import Broker
from tests.servers.ports import free_ports
from tests.servers.secure import certificate
from tests.sink.stage import stage


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """`server.pem` (key and certificate), `server.crt`, `client.crt`, `client.key`, `other.crt`."""
    cert, key = certificate(tmp_path, "server")
    (tmp_path / "server.pem").write_text(key.read_text() + cert.read_text())
    for name in ("client", "other"):
        certificate(tmp_path, name)
    return tmp_path


class TlsBroker(Broker):
    """Answers over TLS too, on a listener of its own, and to clients with a certificate only."""

    def __init__(self, certificates: Path) -> None:
        super().__init__()
        self._certificates = certificates
        [self._port] = free_ports(1)

    @property
    def tls(self) -> str:
        return f"127.0.0.1:{self._port}"

    def _write_settings(self) -> None:
        super()._write_settings()
        trusted = self._certificates / "trusted.crt"
        trusted.write_text("".join((self._certificates / f"{name}.crt").read_text() for name in ("server", "client")))
        plain, controller = (f"127.0.0.1:{port}" for port in self._ports)
        with self._properties.open("a") as file:  # a property that comes again counts
            file.write(
                f"listeners=PLAINTEXT://{plain},CONTROLLER://{controller},TLS://{self.tls}\n"
                f"advertised.listeners=PLAINTEXT://{plain},TLS://{self.tls}\n"
                "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,TLS:SSL\n"
                f"ssl.keystore.type=PEM\nssl.keystore.location={self._certificates / 'server.pem'}\n"
                f"ssl.truststore.type=PEM\nssl.truststore.location={trusted}\nssl.client.auth=required\n"
            )


@pytest.fixture
def tls_broker(servers: Path, certificates: Path) -> Iterator[TlsBroker]:
    assert servers.is_dir()
    with TlsBroker(certificates) as broker:
        yield broker


async def test_mutual_tls(tls_broker: TlsBroker, certificates: Path) -> None:
    """With the right certificates all works; with the wrong authority, or none of our own, the refusal says TLS."""

    def over(tls: Tls | None) -> Kafka:
        return Kafka(bootstrap_servers=(tls_broker.tls,), transaction_timeout=Duration(10.0), tls=tls)

    ca, cert, key = (str(certificates / name) for name in ("server.crt", "client.crt", "client.key"))
    producer = await Producer.start(over(Tls(ca=ca, cert=cert, key=key)), "p")
    await producer.kill()

    with pytest.raises(SettingFault, match=r"TLS to Kafka at .* failed \(kafka\.tls\).*CERTIFICATE_VERIFY_FAILED"):
        await Producer.start(over(Tls(ca=str(certificates / "other.crt"), cert=cert, key=key)), "p")
    with pytest.raises(KafkaFault, match=r"ask for a client certificate: set kafka\.tls\.cert|failed \(kafka\.tls\)"):
        await Producer.start(over(Tls(ca=ca)), "p")
    with pytest.raises(KafkaFault, match=r"It may be a TLS listener: set kafka\.tls"):
        await Producer.start(over(None), "p")


USERS = 'user_admin="a" user_bob="b"'
RULES = {
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:SASL_PLAINTEXT",
    "sasl.enabled.mechanisms": "PLAIN",
    "sasl.mechanism.inter.broker.protocol": "PLAIN",
    "listener.name.plaintext.plain.sasl.jaas.config": "org.apache.kafka.common.security.plain.PlainLoginModule required"
    f' username="admin" password="a" {USERS};',
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:admin;User:ANONYMOUS",
}


async def test_missing_permissions_are_named_with_what_to_allow(new_broker: Callable[..., Broker]) -> None:
    broker = new_broker(RULES)

    def login(username: str, password: str) -> Sasl:
        return Sasl(mechanism="PLAIN", username=username, password=Secret(password))

    admin = stage(broker.bootstrap, sasl=login("admin", "a"))
    bob = stage(broker.bootstrap, sasl=login("bob", "b"))
    await topics.ensure(admin.config, [admin.topic])

    with pytest.raises(SettingFault, match=r"no permission to use transactional id .*at-least-once"):
        await Producer.start(bob.config.kafka, "bob")
    with pytest.raises(SettingFault, match=r"(no permission for|cannot make) topic .*Allow "):
        await topics.ensure(bob.config, [admin.topic])
    opened = await admin.open()
    await opened.writer.close()
