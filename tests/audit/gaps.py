"""Epochs across the partitions of a topic: what they agree on, and which gap each of them announces."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.audit.grammar import Chapter
from tests.audit.ledger import Write
from tests.audit.records import Previous, order
from tests.audit.report import Report, Violation, at


@dataclass
class Story:
    """One epoch of a stream in one topic. *after* and *upto* bound its gap: `(after, upto]`, by versions.

    An empty *upto* means that the epoch was never complete: what it should have told is for the next one.
    """

    epoch: int
    reason: str
    after: str
    upto: str
    last: str
    chapters: list[Chapter]

    def excuses(self, write: Write) -> bool:
        """Whether consumers were told that *write* may be missing."""
        if not self.upto:
            return False
        version = write.version or write.after
        if self.reason == "rewound":  # the versions of a history that is no more are not bounded by the new one's
            lowest = min(self.after, self.upto, key=order)
            return order(version) > order(lowest) and write.time <= self.chapters[0].time.timestamp()
        return order(self.after) < order(version) <= order(self.upto)


def read_topic(
    topic: str, stream: str, chapters: dict[int, list[Chapter]], report: Report, *, repeats: bool = False
) -> list[Story]:
    """The epochs of *stream* in *topic*, in order, from its chapters by partition. What does not fit is reported.

    *repeats*: who crashed may have told more than is remembered. So a gap may begin earlier, and an epoch be given up.
    """
    by_epoch: dict[int, dict[int, Chapter]] = {}
    for partition, told in chapters.items():
        for chapter in told:
            by_epoch.setdefault(chapter.epoch, {})[partition] = chapter
    stories = [_story(epoch, by_epoch[epoch]) for epoch in sorted(by_epoch)]
    for number, story in enumerate(stories):
        report.restarts[f"{stream} {story.reason}"] += 1
        is_last = number == len(stories) - 1
        before = _remembered(story, stories[:number]) if repeats else stories[:number]
        faults = [*_previous(story, before, exactly=not repeats)]
        if is_last or story.upto or not repeats:
            faults += _differences(story, is_last)
        report.violations += [at(story.chapters[0].opening, "grammar", f"epoch {story.epoch} {f}") for f in faults]
    if stories and stories[-1].chapters[0].partitions != len(chapters):
        what = f"{stream}: the last epoch knows {stories[-1].chapters[0].partitions} partitions of {len(chapters)}"
        report.violations.append(Violation("grammar", topic, what))
    return stories


def _story(epoch: int, parts: dict[int, Chapter]) -> Story:
    chapters = [parts[partition] for partition in sorted(parts)]
    first = chapters[0]
    after = first.previous.resource_version if first.previous else ""
    upto = min((chapter.synced for chapter in chapters), key=order)
    last = max((version for chapter in chapters for version in (chapter.last, chapter.highest)), key=order)
    return Story(epoch, first.reason, after, upto, last, chapters)


def _differences(story: Story, is_last: bool) -> Iterator[str]:
    """What the partitions disagree on."""
    first = story.chapters[0]
    if len(story.chapters) != first.partitions:
        yield f"was opened in {len(story.chapters)} partitions of {first.partitions}"
    for name in ("reason", "previous", "partitions", "synced"):
        values = {str(getattr(chapter, name)) for chapter in story.chapters}
        if len(values) > 1:
            yield f"has not the same {name} everywhere: {sorted(values)}"
    if is_last and not story.upto:
        yield "is the last one and not SYNCED everywhere"


def _remembered(story: Story, before: list[Story]) -> list[Story]:
    """Without the complete epochs that a crash has made forgotten: the last ones, which told nothing after SYNCED."""
    previous = story.chapters[0].previous
    known = list(before)
    while known and (not known[-1].upto or (known[-1].last == known[-1].upto and not _names(previous, known[-1]))):
        known.pop()
    return known


def _names(previous: Previous | None, story: Story) -> bool:
    return previous is not None and previous.epoch == story.epoch


def _previous(story: Story, before: list[Story], *, exactly: bool) -> Iterator[str]:
    """What is wrong with the start of the announced gap: it must be the last trusted position, not a convenient one."""
    trusted = [earlier for earlier in before if earlier.upto]
    previous = story.chapters[0].previous
    if story.reason == "initial" and trusted:
        yield f"is initial, but epoch {trusted[-1].epoch} was complete"
    if previous is None:
        if trusted:
            yield f"names no previous position, but epoch {trusted[-1].epoch} was complete"
        return
    if trusted and previous.epoch != trusted[-1].epoch:
        yield f"names epoch {previous.epoch} as previous, the last complete one is {trusted[-1].epoch}"
    known = (trusted[-1].last if exactly else trusted[-1].upto) if trusted else ""
    if order(previous.resource_version) < order(known):
        yield f"begins its gap at {previous.resource_version}, but {known} was delivered before it"
