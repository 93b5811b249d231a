"""All checks, in one go: what the topics hold, what was really done, what to say of it."""

from tests.audit.completeness import Question, Told
from tests.audit.followers import State, follow
from tests.audit.gaps import Story, read_topic
from tests.audit.grammar import read_partition
from tests.audit.keys import HISTORY_BREAKS, read_key
from tests.audit.ledger import Ledger, Scope
from tests.audit.records import Log, Record, parse
from tests.audit.replays import unfold
from tests.audit.report import Report, Violation, at


def judge(
    logs: list[Log], scopes: list[Scope] | None = None, ledger: Ledger | None = None, *, repeats: bool = False
) -> Report:
    """Judge whole topics. Without *scopes* and *ledger*, only what the protocol promises by itself.

    *repeats*: by what it promises without transactions.
    """
    report = Report()
    told = {}
    for log in logs:
        for stream, records in sorted(_streams(log, report).items()):
            once = _unfolded(log, records, report) if repeats else records
            told[log.topic, stream] = _stream(log, stream, once, report, repeats=repeats)
    clusters = {story.chapters[0].opening.value.cluster for t in told.values() for story in t.stories}
    if len(clusters) > 1:
        report.violations.append(Violation("grammar", "*", f"records of several clusters: {sorted(clusters)}"))
    if scopes is not None:
        _expect(scopes, set(told), report)
    if scopes is not None and ledger is not None:
        report.counts["acknowledged writes"] = len(ledger.writes)
        report.counts["keys of unknown outcome"] = len(ledger.unknown)
        for scope in scopes:
            nothing = Told({}, [], {}, {})
            Question(scope, told.get((scope.topic, scope.stream), nothing), report).ask(ledger)
    return report


def _streams(log: Log, report: Report) -> dict[str, list[Record]]:
    streams: dict[str, list[Record]] = {}
    for entry in log.entries:
        report.counts["records"] += 1
        record = parse(entry)
        if isinstance(record, Record):
            streams.setdefault(record.value.stream, []).append(record)
        else:
            report.violations.append(at(entry, "unreadable", record))
    return streams


def _unfolded(log: Log, records: list[Record], report: Report) -> list[Record]:
    parts = ([record for record in records if record.partition == number] for number in range(log.partitions))
    return [record for part in parts for record in unfold(part, report)]


def _stream(log: Log, stream: str, records: list[Record], report: Report, *, repeats: bool) -> Told:
    chapters, ends = {}, []
    for partition in range(log.partitions):
        part = [record for record in records if record.partition == partition]
        chapters[partition] = read_partition(part, log.partitions, report)
        ends.append(follow(part, report))
    stories = read_topic(log.topic, stream, chapters, report, repeats=repeats)
    by_key: dict[str, list[Record]] = {}
    for record in sorted(records, key=lambda record: record.value.epoch):  # a key moves when its topic is repartitioned
        if not record.is_marker:
            by_key.setdefault(record.key, []).append(record)
    breaks = {story.epoch for story in stories if story.reason in HISTORY_BREAKS}
    for told in by_key.values():
        read_key(told, breaks, report)
    marking, plain = _merged([end[0] for end in ends]), _merged([end[1] for end in ends])
    report.counts["keys"] += len(by_key)
    return Told(by_key, stories, marking, _moved(plain, by_key, stories))


def _merged(parts: list[State]) -> State:
    return {key: value for part in parts for key, value in part.items()}


def _moved(plain: State, by_key: dict[str, list[Record]], stories: list[Story]) -> State:
    """After a repartitioning a plain follower holds moved keys twice, or gone ones: the latest record counts."""
    if all(story.reason != "repartitioned" for story in stories):
        return plain
    last = {key: records[-1] for key, records in by_key.items()}
    return {key: (r.uid, r.version) for key, r in last.items() if r.value.type != "DELETED"}


def _expect(scopes: list[Scope], found: set[tuple[str, str]], report: Report) -> None:
    wanted = {(scope.topic, scope.stream) for scope in scopes}
    for topic, stream in sorted(found - wanted):
        report.violations.append(Violation("invented", topic, f"stream {stream}: nobody asked for it"))
    for topic, stream in sorted(wanted - found):
        report.violations.append(Violation("missing", topic, f"stream {stream} has told nothing"))
