"""`event-bridge materialize`."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.brokers import BootstrapServers, Login, PasswordFile, TlsCa, TlsCert, flagged, source
from bridge.cli.file import ConfigFile
from bridge.cli.murmur import murmur

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.consumer.intake import Notice
    from bridge.following import Waiting
    from bridge.materialize import Result

SHOWN = 5
"""Foreign records of a topic that are shown one by one."""


def materialize(  # noqa: PLR0913 - one for each option
    *,
    database: Annotated[Path, typer.Option("--db", metavar="FILE", help="The SQLite file; made if it does not exist.")],
    topic: Annotated[
        list[str] | None,
        typer.Option(
            "--topic", metavar="T", help="A topic; may be repeated. Without it: those of the config's watches."
        ),
    ] = None,
    config: ConfigFile = None,
    bootstrap_servers: BootstrapServers = None,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    sasl: Login = None,
    password_file: PasswordFile = None,
    group: Annotated[
        str | None,
        typer.Option(metavar="G", help="Share the partitions with other members of this group. Without it: read all."),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End when all is read that is there now.")] = False,
) -> None:
    """Keep the objects of topics in a SQLite file, a table per resource, until SIGTERM or Ctrl-C. It may be killed."""
    if once and group is not None:
        raise typer.BadParameter("--once reads all partitions: leave --group out")
    flags = flagged(bootstrap_servers, tls_ca, tls_cert, sasl, password_file)
    kafka, topics = source(config, flags, topic or [], "--topic")

    from bridge.materialize import Order, run  # noqa: PLC0415 - heavy

    screen = Screen()
    murmur()
    result = run(Order(kafka, topics, database, group, once), screen.show)
    screen.end(result)
    raise typer.Exit(1 if result.problem else 0)


class Screen:
    """Owns what was counted so far. Gaps and what was refused are told as they come; changes only in the end."""

    def __init__(self) -> None:
        self.changes = 0
        self._refused: Counter[str] = Counter()

    def show(self, notices: "Sequence[Notice | Waiting]") -> None:
        from bridge.consumer.follower import Delete, GapOpened, Resynced, Upsert  # noqa: PLC0415 - heavy
        from bridge.consumer.intake import Lost, Refused  # noqa: PLC0415 - heavy
        from bridge.following import Waiting  # noqa: PLC0415 - heavy

        for notice in notices:
            match notice:
                case Upsert() | Delete():
                    self.changes += 1
                case GapOpened(scope=(topic, partition, stream)):
                    since = f", last position {notice.previous.resource_version}" if notice.previous else ""
                    words = f"{notice.reason} ({notice.message}){since}"
                    typer.echo(f"{topic}[{partition}] {stream}: epoch {notice.epoch} begins: {words}")
                case Resynced(scope=(topic, partition, stream)):
                    words = f"{notice.promised} objects at version {notice.version}, {len(notice.swept)} swept"
                    if not notice.whole:
                        words += f"; only {notice.listed} were read: the rest is known from the next epoch on"
                    typer.echo(f"{topic}[{partition}] {stream}: synced: {words}")
                case Refused(log=(topic, partition)):
                    self._refuse(topic, f"{topic}[{partition}] at offset {notice.offset}: passed over: {notice.why}")
                case Waiting(why=why, seconds=seconds):
                    typer.echo(f"waiting {seconds:.0f} s: {why}", err=True)
                case Lost(log=(topic, partition)):
                    words = "records are missing, deleted by retention or with the topic; exact from the next SYNCED on"
                    typer.echo(f"{topic}[{partition}] from offset {notice.offset}: {words}", err=True)

    def end(self, result: "Result") -> None:
        for topic, count in self._refused.items():
            typer.echo(f"{topic}: {count} records passed over: none of the protocol's", err=True)
        held = ", ".join(f"{count} {resource}" for resource, count in result.objects.items()) or "nothing"
        if not result.problem:
            typer.echo(f"{self.changes} changes taken; the database holds {held}")
        unknown = [
            scope for scope, chapter in result.chapters.items() if chapter.standing.value in ("joined", "partial")
        ]
        for topic, partition, stream in unknown:
            typer.echo(f"{topic}[{partition}] {stream}: incomplete: its last snapshot was not read whole", err=True)
        if result.problem:
            typer.echo(f"event-bridge materialize: {result.problem}", err=True)

    def _refuse(self, topic: str, words: str) -> None:
        self._refused[topic] += 1
        if self._refused[topic] <= SHOWN:
            typer.echo(words, err=True)
        if self._refused[topic] == SHOWN:
            typer.echo(f"{topic}: more of them are only counted", err=True)
