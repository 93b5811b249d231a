"""A Kafka that knows who its clients are: over TLS, with certificates, passwords or tokens; and those to show it."""

import base64
import json
import subprocess
import time
from pathlib import Path

from tests.servers.kafka import JAVA, Broker, _classes
from tests.servers.ports import free_ports

ADMIN = "admin-s3cret"
"""Of the one user that PLAIN knows beside those that are given; an administrator."""


def certificate(directory: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key (PKCS#8, as Kafka wants it)."""
    cert, key = directory / f"{name}.crt", directory / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    extensions = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*command, *extensions], check=True, capture_output=True)
    return cert, key


def token_for(user: str, seconds: float = 3600.0, algorithm: str = "none") -> str:
    """A JWT without a signature, which Kafka's default validator takes; *seconds* until it expires.

    With another *algorithm* it claims to be signed, and is refused.
    """
    now = time.time()
    parts = ({"alg": algorithm}, {"sub": user, "iat": now - 60, "exp": now + seconds})
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*texts, ""])


class SecureBroker(Broker):
    """Beside its open listener, for administrators, one over TLS that wants a client certificate and a login.

    In *directory* are `server.crt`, `server.key` and `trusted.crt`, read at each start.
    """

    def __init__(self, directory: Path, users: dict[str, str], **settings: str) -> None:
        """*users*: of PLAIN."""
        accounts = " ".join(f'user_{name}="{password}"' for name, password in {**users, "admin": ADMIN}.items())
        module = "org.apache.kafka.common.security"
        listener = "listener.name.secure"
        super().__init__(
            {
                "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL",
                "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
                f"{listener}.plain.sasl.jaas.config": f"{module}.plain.PlainLoginModule required {accounts};",
                f"{listener}.scram-sha-256.sasl.jaas.config": f"{module}.scram.ScramLoginModule required;",
                f"{listener}.scram-sha-512.sasl.jaas.config": f"{module}.scram.ScramLoginModule required;",
                f"{listener}.oauthbearer.sasl.jaas.config": (
                    f'{module}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="admin";'
                ),
                f"{listener}.ssl.client.auth": "required",
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": str(directory / "keystore.pem"),
                "ssl.truststore.type": "PEM",
                "ssl.truststore.location": str(directory / "trusted.crt"),
                **settings,
            }
        )
        self._certificates = directory
        [self._secure] = free_ports(1)

    @property
    def secure(self) -> str:
        return f"127.0.0.1:{self._secure}"

    def set_password(self, user: str, password: str, mechanism: str) -> None:
        """For a mechanism of SCRAM, which knows nobody at first."""
        command = [*JAVA, "-cp", _classes(), "kafka.admin.ConfigCommand", "--bootstrap-server", self.bootstrap]
        alter = [
            "--alter",
            "--entity-type",
            "users",
            "--entity-name",
            user,
            "--add-config",
            f"{mechanism}=[password={password}]",
        ]
        subprocess.run([*command, *alter], check=True, capture_output=True, timeout=120)

    def _start(self) -> None:
        files = [self._certificates / f"server.{end}" for end in ("key", "crt")]
        (self._certificates / "keystore.pem").write_text("".join(file.read_text() for file in files))
        super()._start()

    def _write_settings(self) -> None:
        super()._write_settings()
        plain, controller = (f"127.0.0.1:{port}" for port in self._ports)
        with self._properties.open("a") as file:  # a property that comes again counts
            file.write(
                f"listeners=PLAINTEXT://{plain},CONTROLLER://{controller},SECURE://{self.secure}\n"
                f"advertised.listeners=PLAINTEXT://{plain},SECURE://{self.secure}\n"
            )
