"""Runs become medians, medians become a table: ratios first."""

from statistics import median

from msgspec import Struct

from bench.workloads.workload import Column, Figures

OURS = "bridge"
"""To whom the ratios are."""


class Outcome(Struct, frozen=True):
    """All runs of one contestant in one case. *failures* are told, and are no figures."""

    workload: str
    case: str
    contestant: str
    what: str
    cannot: str
    runs: list[Figures]
    failures: list[str]

    @property
    def medians(self) -> Figures:
        return medians(self.runs)


def medians(runs: list[Figures]) -> Figures:
    """Of each figure by itself."""
    keys = dict.fromkeys(key for run in runs for key in run)
    return {key: median(run[key] for run in runs if key in run) for key in keys}


def table(columns: list[Column], outcomes: list[Outcome]) -> str:
    """Markdown: a row for each contestant of one case."""
    ratios = [column for column in columns if column.ratio]
    titles = [
        "",
        *(f"{column.title}, times the bridge's" for column in ratios),
        *(column.title for column in columns),
        "cannot",
    ]
    ours = next((outcome.medians for outcome in outcomes if outcome.contestant == OURS), {})
    rows = [_row(columns, ratios, outcome, ours) for outcome in outcomes]
    return "\n".join(_line(cells) for cells in [titles, ["---"] * len(titles), *rows])


def _row(columns: list[Column], ratios: list[Column], outcome: Outcome, ours: Figures) -> list[str]:
    figures = outcome.medians
    cells = [_ratio(figures.get(column.key), ours.get(column.key)) for column in ratios]
    cells += [_figure(column, figures.get(column.key)) for column in columns]
    remarks = [outcome.cannot, *(f"**failed: {failure}**" for failure in dict.fromkeys(outcome.failures))]
    return [outcome.contestant, *cells, "; ".join(filter(None, remarks))]


def _ratio(value: float | None, ours: float | None) -> str:
    return f"**{value / ours:.2f}**" if value is not None and ours else ""


def _figure(column: Column, value: float | None) -> str:
    return "" if value is None else f"{value:,.{column.digits}f}"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
