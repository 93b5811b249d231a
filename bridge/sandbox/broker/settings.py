"""The settings of topics: names, defaults and bounds as Kafka 4.3 has them, and what it says of wrong ones."""

from collections.abc import Callable, Mapping

from msgspec import Struct

LONGEST = 2**63 - 1

Check = Callable[[str], str]
"""What is wrong with a value; empty if nothing is."""


class Setting(Struct, frozen=True):
    default: str
    check: Check
    broker: str = ""
    """What a broker's file calls the default, if not "log." and the same."""


def _number(least: float, *, kind: str = "LONG", most: float | None = None) -> Check:
    def check(value: str) -> str:
        try:
            number = float(value) if kind == "DOUBLE" else int(value)
        except ValueError:
            return f"Invalid value {value} for configuration %s: Not a number of type {kind}"
        if number < least:
            return f"Invalid value {number} for configuration %s: Value must be at least {least}"
        if most is not None and number > most:
            return f"Invalid value {number} for configuration %s: Value must be no more than {most}"
        return ""

    return check


def _word(*words: str, many: bool = False) -> Check:
    def check(value: str) -> str:
        given = [each.strip() for each in value.split(",")] if many else [value]
        if all(each in words for each in given):
            return ""
        wrong = next(each for each in given if each not in words) if many else value
        return f"Invalid value {wrong} for configuration %s: String must be one of: {', '.join(words)}"

    return check


SETTINGS: Mapping[str, Setting] = {
    "cleanup.policy": Setting("delete", _word("compact", "delete", many=True)),
    "compression.type": Setting(
        "producer", _word("uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"), "compression.type"
    ),
    "delete.retention.ms": Setting("86400000", _number(0), "log.cleaner.delete.retention.ms"),
    "max.compaction.lag.ms": Setting(str(LONGEST), _number(1), "log.cleaner.max.compaction.lag.ms"),
    "max.message.bytes": Setting("1048588", _number(0, kind="INT"), "message.max.bytes"),
    "message.timestamp.type": Setting("CreateTime", _word("CreateTime", "LogAppendTime")),
    "min.cleanable.dirty.ratio": Setting("0.5", _number(0, kind="DOUBLE", most=1), "log.cleaner.min.cleanable.ratio"),
    "min.compaction.lag.ms": Setting("0", _number(0), "log.cleaner.min.compaction.lag.ms"),
    "min.insync.replicas": Setting("1", _number(1, kind="INT"), "min.insync.replicas"),
    "retention.bytes": Setting("-1", _number(-(2**63))),
    "retention.ms": Setting("604800000", _number(-1), "log.retention.hours"),
    "segment.bytes": Setting("1073741824", _number(1048576, kind="INT")),
    "segment.ms": Setting("604800000", _number(1), "log.roll.hours"),
}
"""Those that a producer, a consumer or an operator of compacted topics asks for; Kafka has twice as many."""


def problem(settings: Mapping[str, str | None]) -> str:
    """What Kafka says of them, empty if it takes them."""
    for name, value in settings.items():
        if name not in SETTINGS:
            return f"Unknown topic config name: {name}"
        if value is None:
            return f"Null value not supported for topic configs: {name}"
        if wrong := SETTINGS[name].check(value):
            return wrong % name
    return ""
