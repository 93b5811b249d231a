"""`event-bridge acls`."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bridge.cli.file import ConfigFile, read
from bridge.cli.rbac import Offline

if TYPE_CHECKING:
    from bridge.config.tree import Config
    from bridge.rights.kafka import Right

Format = Annotated[
    Literal["commands", "strimzi"],
    typer.Option("--format", help="commands for kafka-acls.sh, or a KafkaUser of the Strimzi operator."),
]


def acls(  # noqa: PLR0913 - options
    config: ConfigFile = None,
    principal: Annotated[
        str | None,
        typer.Option(metavar="User:NAME", help="Whom to allow. Without it: the user of kafka.sasl."),
    ] = None,
    form: Format = "commands",
    *,
    reading: Annotated[
        bool, typer.Option("--reading", help="Also what `verify` and `tail` need: to read the topics.")
    ] = False,
    command_config: Annotated[
        str, typer.Option(metavar="FILE", help="The file with kafka-acls.sh's own login, put into each command.")
    ] = "",
    strimzi_cluster: Annotated[
        str, typer.Option(metavar="NAME", help="The Kafka resource that the KafkaUser is for.")
    ] = "my-cluster",
    offline: Offline = False,
) -> None:
    """Print the least Kafka ACLs that the config file needs.

    The API server is asked only where a topic's name depends on it.
    """
    settings, name = read(config)

    from bridge.rights import acls as written  # noqa: PLC0415 - heavy
    from bridge.rights import kafka  # noqa: PLC0415 - heavy

    whom = principal or kafka.principal(settings)
    if whom is None:
        raise typer.BadParameter(NAMELESS, param_hint="--principal")
    if ":" not in whom:
        raise typer.BadParameter(f"{whom} is no principal: write User:{whom}", param_hint="--principal")
    wanted, source = _rights(settings, reading=reading, offline=offline)
    head = f"What the bridge of {name} needs, and no more{source}.\n{OLD}"
    if form == "commands":
        target = written.target(settings, whom, command_config)
        typer.echo(written.script(wanted, target, head), nl=False)
        return
    user = whom.partition(":")[2].removeprefix("CN=").partition(",")[0]
    if not written.NAME.fullmatch(user):
        raise typer.BadParameter(f"{user} is no name for a KafkaUser: give another", param_hint="--principal")
    typer.echo(written.user(wanted, user, strimzi_cluster, _login(settings), head), nl=False)


NAMELESS = (
    "is needed: brokers make a name of the bridge's certificate or token. Write User:CN=bridge, as the broker's log"
    " shows it"
)
OLD = "Brokers before 2.8 also want IdempotentWrite on the cluster."


def _login(config: "Config") -> str:
    """In Strimzi's words; empty where the operator has no part in it."""
    sasl, tls = config.kafka.sasl, config.kafka.tls
    if sasl is not None:
        return "scram-sha-512" if sasl.mechanism == "SCRAM-SHA-512" else ""
    return "tls" if tls is not None and tls.cert is not None else ""


def _rights(config: "Config", *, reading: bool, offline: bool) -> "tuple[list[Right], str]":
    """The rights, and who was asked for what the topics are called."""
    from bridge.config.streams import streams  # noqa: PLC0415 - heavy
    from bridge.rights import kafka  # noqa: PLC0415 - heavy
    from bridge.rights.meaning import topics_of  # noqa: PLC0415 - heavy

    if not kafka.asks(config):
        known, cluster, source = {}, config.cluster, ""
    else:
        import asyncio  # noqa: PLC0415 - heavy

        from bridge.checks.meanings import meanings  # noqa: PLC0415 - heavy
        from bridge.telemetry import configure_logging  # noqa: PLC0415 - heavy

        configure_logging("warning", console=True)
        asked = asyncio.run(meanings(config, offline=offline))
        known, cluster, source = asked.found, asked.cluster, f"; {asked.source}"
    patterns = [
        topics_of(stream.watch.topic, known.get(stream.watch.resource), stream.namespace, cluster)
        for stream in streams(config)
    ]
    return kafka.rights(config, patterns, reading=reading), source
