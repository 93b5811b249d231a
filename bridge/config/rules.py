"""What the fields owe each other."""

import re
from collections.abc import Iterator

from msgspec import Struct

from bridge.config.kafka import Kafka, Sasl
from bridge.config.problem import Misread
from bridge.config.report import Report
from bridge.config.selectors import field_problem, label_problem
from bridge.config.streams import streams_of
from bridge.config.topics import known_topic, name_problems, template_problems
from bridge.config.tree import Config
from bridge.config.units import duration_text, size_text
from bridge.config.watch import Watch

NEEDED = (
    "metadata",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "metadata.resourceVersion",
    "apiVersion",
    "kind",
)
"""Without these a consumer could not tell which object a record speaks of, nor in which state."""

_HIGHEST_PORT = 65_535
_BY_TOKEN = ("token", "extensions")
_LOGIN = {
    "username": "username: event-bridge",
    "password": "password: {file: /path/to/it}",
    "token": "token: {file: /path/to/it}",
}
EXTENSION = "[A-Za-z]+"
"""As Kafka's own clients have it (OAuthBearerClientInitialResponse)."""
_SELECTORS = {"labelSelector": "app=web,tier in (front, back),!canary", "fieldSelector": "type=Warning"}
_NAMING = ("name", "resource", "namespaces")


class Finding(Struct, frozen=True):
    """A rule that is broken. Moot if one of the other fields it looked at is wrong by itself."""

    path: str
    what: str
    mend: str
    others: tuple[str, ...] = ()


def judge(config: Config, report: Report) -> None:
    """Adds the broken rules to the report, except where the fields at fault are reported already."""
    for finding in [*_kafka(config.kafka), *_whole(config), *_watches(config), *_names(config)]:
        if not any(report.blames(path) for path in (finding.path, *finding.others)):
            report.add(finding.path, Misread(finding.what, finding.mend))


def _kafka(kafka: Kafka) -> Iterator[Finding]:
    for index, server in enumerate(kafka.bootstrap_servers):
        yield from _port(f"kafka.bootstrapServers[{index}]", server)
    if kafka.transaction_timeout <= kafka.commit_interval:
        interval = duration_text(kafka.commit_interval)
        yield Finding(
            "kafka.transactionTimeout",
            f"must be longer than commitInterval ({interval}), or the broker aborts every transaction",
            f"Write more than {interval}, or lower commitInterval.",
            ("kafka.commitInterval",),
        )
    if kafka.tls and (kafka.tls.cert is None) != (kafka.tls.key is None):
        given, missing = ("key", "cert") if kafka.tls.cert is None else ("cert", "key")
        yield Finding("kafka.tls", f"{given} is given without {missing}", f"Add {missing}, or remove {given}.")
    if kafka.sasl:
        yield from _sasl(kafka.sasl)


def _sasl(sasl: Sasl) -> Iterator[Finding]:
    """A password for some mechanisms, a token for the other. That a text is there tells nothing of what it says."""
    by_token = sasl.mechanism == "OAUTHBEARER"
    given = {
        "username": sasl.username is not None,
        "password": sasl.password is not None,
        "token": sasl.token is not None,
        "extensions": bool(sasl.extensions),
    }
    others = ("kafka.sasl.mechanism",)
    wanted = ("token",) if by_token else ("username", "password")
    for name in wanted:
        if not given[name]:
            mend = f"Add it: {_LOGIN[name]}"
            yield Finding(f"kafka.sasl.{name}", f"is missing: {sasl.mechanism} needs it", mend, others)
    for name, is_given in given.items():
        if is_given and (name in _BY_TOKEN) != by_token:
            mend = "Remove it, or change the mechanism."
            yield Finding(f"kafka.sasl.{name}", f"is not for {sasl.mechanism}", mend, others)
    if sasl.token and (sasl.token.file is None) != bool(sasl.token.command):
        what = "names both a file and a command" if sasl.token.command else "names neither a file nor a command"
        yield Finding("kafka.sasl.token", what, "Write one of the two: file: /path, or command: [program, argument].")
    for name, text in sasl.extensions.items():
        if not re.fullmatch(EXTENSION, name) or name == "auth" or not (text.isascii() and text.isprintable()):
            what = "is no extension of OAUTHBEARER"
            mend = "A name has letters only and is not auth, a value visible ASCII."
            yield Finding(f"kafka.sasl.extensions.{name}", what, mend)


def _whole(config: Config) -> Iterator[Finding]:
    if config.http.listen is not None:
        yield from _port("http.listen", config.http.listen)
    if config.buffer < config.kafka.max_message_bytes:
        largest = size_text(config.kafka.max_message_bytes)
        what = f"cannot hold even one record of kafka.maxMessageBytes ({largest})"
        yield Finding("buffer", what, f"Write at least {largest}.", ("kafka.maxMessageBytes",))
    if config.checkpoint_topic in {".", ".."}:
        yield Finding(
            "checkpoints.topic", f"Kafka does not take {config.checkpoint_topic} as a topic name", "Give it another."
        )


def _port(path: str, address: str) -> Iterator[Finding]:
    port = address.rpartition(":")[2]
    if port and int(port) > _HIGHEST_PORT:
        yield Finding(path, f"{port} is not a port", f"Ports end at {_HIGHEST_PORT}.")


def _watches(config: Config) -> Iterator[Finding]:
    for index, watch in enumerate(config.watches):
        path = f"watches[{index}]"
        yield from _watch(watch, path)
        yield from _topic(watch, path, config)
        if watch.stale_after is not None and watch.stale_after <= config.verify_interval:
            interval = duration_text(config.verify_interval)
            what = f"must be longer than verifyInterval ({interval}): a silent stream's position becomes as old as that"
            mend = f"Write at least {duration_text(2 * config.verify_interval)}, or lower verifyInterval."
            yield Finding(f"{path}.staleAfter", what, mend, ("verifyInterval",))


def _watch(watch: Watch, path: str) -> Iterator[Finding]:
    if watch.format != "envelope":
        yield Finding(f"{path}.format", f"{watch.format} is not yet possible: only envelope", "Remove the line.")
    for name, selector, problem in (
        ("labelSelector", watch.label_selector, label_problem),
        ("fieldSelector", watch.field_selector, field_problem),
    ):
        if selector and (wrong := problem(selector)):
            mend = f"Write one as kubectl takes it, such as {_SELECTORS[name]}"
            yield Finding(f"{path}.{name}", f"is no selector: {wrong}", mend)
    lists = {"namespaces": watch.namespaces, "types": watch.types, "drop": watch.drop}
    for name, items in lists.items():
        for index, item in enumerate(items):
            if item and item in items[:index]:
                yield Finding(f"{path}.{name}[{index}]", f"{item} is listed twice", "Remove one of the two.")
    for index, field in enumerate(watch.drop):
        if field.replace("[", ".").replace("]", "") in NEEDED:
            what = f"{field} cannot be dropped: consumers need it to tell objects apart"
            yield Finding(f"{path}.drop[{index}]", what, "Remove it from the list.")


def _topic(watch: Watch, path: str, config: Config) -> Iterator[Finding]:
    field = f"{path}.topic"
    cluster = config.cluster
    needs = ("cluster", f"{path}.namespaces")
    for misread in template_problems(watch.topic):
        yield Finding(field, misread.what, misread.mend)
    for misread in name_problems(watch.topic, watch.namespaces, cluster):
        yield Finding(field, misread.what, misread.mend, needs)
    for stream in streams_of(watch):
        if known_topic(watch.topic, stream.namespace, cluster) == config.checkpoint_topic:
            what = f"{config.checkpoint_topic} is the checkpoint topic"
            mend = "Give the watch a topic of its own, or set checkpoints.topic."
            yield Finding(field, what, mend, (*needs, "checkpoints", "name"))
            return


def _names(config: Config) -> Iterator[Finding]:
    """Each stream has a position of its own under its name: two of one name would overwrite each other's."""
    first: dict[str, int] = {}
    for index, watch in enumerate(config.watches):
        path = f"watches[{index}]"
        field = f"{path}.name" if watch.name else f"{path}.resource"
        for name in dict.fromkeys(stream.name for stream in streams_of(watch)):
            if watch.stream and name in first:
                what = f"a stream called {name} is made by watches[{first[name]}] already"
                parts = [f"watches[{one}].{part}" for one in (first[name], index) for part in _NAMING]
                yield Finding(field, what, "Give one of the two another name.", tuple(parts))
                break
            first[name] = index
