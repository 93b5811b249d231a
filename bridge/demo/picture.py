"""The demo as a picture that is drawn anew ten times a second."""

import time
from collections import Counter, deque
from collections.abc import Callable

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bridge.consumer.records import Keyed, Listed
from bridge.demo.chorus import Chorus
from bridge.demo.epoch import HEIGHT, Epoch
from bridge.demo.ledger import STREAMS
from bridge.demo.lines import COLOURS, cut, is_marker, kind_of, line, rule

WIDTH = 100
"""Columns at the most: longer lines are hard to read."""
ROWS = 34
"""Lines at the most, as many as are taken in at a glance."""
BESIDE = 13
"""Lines that are neither of the epoch nor of the flow: the frame, words, bridge, table, blanks, the cursor's."""
WORDS = 2
"""Lines of what happens now."""
FRAME = 4
"""Columns."""
PINNED = "pods"
"""The stream whose epoch is shown: the one of which things are deleted behind the bridge's back."""

Counts = Callable[[], dict[str, str]]


class Picture:
    """Owns the last records and the words of the act. Drawn by rich, which asks for it as often as it likes."""

    def __init__(self, cluster: Counts, consumer: Counts, pid: Callable[[], int | None]) -> None:
        self._cluster, self._consumer, self._pid = cluster, consumer, pid
        self._epoch, self._chorus = Epoch(PINNED), Chorus()
        self._flow: deque[Text] = deque(maxlen=ROWS)
        self._words: list[str] = []
        self._began = time.monotonic()
        self._count = 0

    def say(self, words: str) -> None:
        self._words.append(words)

    def told(self, keyed: Keyed, partition: int) -> None:
        """Snapshots would push everything else away: they are counted, or not shown."""
        self._count += 1
        if is_marker(keyed) and not self._chorus.is_due(keyed, partition):
            return
        if self._epoch.take(keyed) or isinstance(keyed.record, Listed):
            return
        if is_marker(keyed):
            self._flow.append(rule(line(keyed), WIDTH, "yellow"))
        else:
            self._flow.append(cut(line(keyed), COLOURS.get(kind_of(keyed), "")))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, WIDTH)
        room = max(min(console.height, ROWS) - BESIDE, HEIGHT + 1)
        epoch = self._epoch.lines(width - FRAME)
        flow = list(self._flow)[-(room - len(epoch)) :]
        blank = [Text("")] * (room - len(epoch) - len(flow))
        before, words = ["", "", *self._words][-2:]
        now = [*Text(f"▶ {words}", "bold").wrap(console, width - FRAME), Text("")][:WORDS]
        top = Group(cut(f"  {before}", "dim"), *now, Text(""), self._state(), self._table())
        body = Group(top, Text(""), *epoch, Text(""), *flow, *blank)
        title = f"event-bridge demo · {time.monotonic() - self._began:4.1f} s · {self._count} records"
        yield Panel(body, title=title, width=width)

    def _table(self) -> Table:
        cluster, consumer = self._cluster(), self._consumer()
        table = Table.grid(padding=(0, 3, 0, 0))
        table.add_row("", *STREAMS)
        table.add_row(Text("cluster", "bold"), *_counts(cluster))
        same = Text("= the cluster, object by object", "green") if cluster == consumer else Text("behind", "yellow")
        table.add_row(Text("consumer", "bold"), *_counts(consumer), same)
        return table

    def _state(self) -> Text:
        pid = self._pid()
        state = Text("does not run", "bold red") if pid is None else Text(f"runs, pid {pid}", "green")
        return Text.assemble(("bridge     ", "bold"), state)


def _counts(objects: dict[str, str]) -> list[str]:
    found = Counter(key.partition("/")[0] for key in objects)
    return [str(found[resource]) for resource in STREAMS.values()]
