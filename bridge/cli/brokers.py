"""Brokers by flags, for those who read topics of a bridge whose config file they do not have."""

import os
import re
from pathlib import Path
from typing import Annotated

import typer
from msgspec import ValidationError, convert

from bridge.config.find import find
from bridge.config.kafka import SERVER, Kafka, Sasl, Tls
from bridge.config.load import load_file
from bridge.config.secret import Secret

BootstrapServers = Annotated[
    str | None,
    typer.Option(metavar="HOST:PORT,...", help="The brokers, instead of those of the config file."),
]
TlsCa = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="TLS to --bootstrap-servers: the authorities to trust, PEM."),
]
TlsCert = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The client certificate for TLS, PEM: certificate and key in one file."),
]
Login = Annotated[
    str | None,
    typer.Option("--sasl", metavar="MECHANISM:USER", help="Log in: PLAIN, SCRAM-SHA-256 or -512, and the user."),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Holds the password for --sasl."),
]


def flagged(
    servers: str | None, ca: Path | None, cert: Path | None, login: str | None, password: Path | None
) -> Kafka | None:
    """None: the flags name no brokers."""
    if servers:
        return kafka_of(servers, ca, cert, login, password)
    if ca or cert or login or password:
        raise typer.BadParameter("TLS and login by flags go with --bootstrap-servers: a config file has its own")
    return None


def source(config: Path | None, flags: Kafka | None, topics: list[str], word: str) -> tuple[Kafka, tuple[str, ...]]:
    """The brokers, and the topics as patterns. Flags win over the file, which is read only if it must be.

    *word* is what the command calls a topic.
    """
    named = tuple(re.escape(topic) for topic in topics)
    if flags is not None and config is None:
        if not named:
            raise typer.BadParameter(f"--bootstrap-servers needs a {word}, or a --config whose watches name them")
        return flags, named

    from bridge.materialize import topics_of_watches  # noqa: PLC0415 - heavy

    settings = load_file(find(config, os.environ), os.environ)
    return flags or settings.kafka, named or topics_of_watches(settings)


def kafka_of(servers: str, ca: Path | None, cert: Path | None, login: str | None, password: Path | None) -> Kafka:
    """What the flags say, in the words of the config file."""
    tls = None
    if ca is not None or cert is not None:
        tls = Tls(ca=_text(ca), cert=_text(cert), key=_text(cert))
    return Kafka(bootstrap_servers=_servers(servers), tls=tls, sasl=_sasl(login, password))


def _text(path: Path | None) -> str | None:
    return str(path) if path is not None else None


def _servers(text: str) -> tuple[str, ...]:
    servers = tuple(server.strip() for server in text.split(",") if server.strip())
    wrong = [server for server in servers if not re.fullmatch(SERVER, server)]
    if wrong or not servers:
        raise typer.BadParameter(f"{', '.join(wrong) or 'nothing'} is no broker's address: write host:port")
    return servers


def _sasl(login: str | None, file: Path | None) -> Sasl | None:
    if (login is None) != (file is None):
        raise typer.BadParameter("--sasl and --password-file go together")
    if login is None or file is None:
        return None
    mechanism, _, username = login.partition(":")
    if mechanism == "OAUTHBEARER":
        raise typer.BadParameter(f"--sasl {mechanism}: a token has a --config, as kafka.sasl.token")
    try:
        password = Secret(file.read_text(encoding="utf-8").removesuffix("\n"), str(file))
        return convert({"mechanism": mechanism, "username": username, "password": password}, Sasl)
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"cannot read the password from {file}: {error}") from error
    except ValidationError as error:
        raise typer.BadParameter(f"--sasl {login}: {error}. Write MECHANISM:USER, for example PLAIN:me") from error
