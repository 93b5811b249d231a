"""Results for people (Markdown) and for programs (JSON, with every single run)."""

from pathlib import Path

import msgspec

from bench.tables import Outcome, table
from bench.workloads.workload import Workload

Measured = tuple[Workload, list[Outcome]]
"""One case of a workload."""


def write(directory: Path, on: dict[str, str], measured: list[Measured]) -> None:
    """`results.md` and `results.json`."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "results.md").write_text(_markdown(on, measured))
    rows = [
        {**msgspec.to_builtins(outcome), "medians": outcome.medians} for _, outcomes in measured for outcome in outcomes
    ]
    (directory / "results.json").write_bytes(msgspec.json.format(msgspec.json.encode({"on": on, "outcomes": rows})))


def _markdown(on: dict[str, str], measured: list[Measured]) -> str:
    settings = {outcome.contestant: outcome.what for _, outcomes in measured for outcome in outcomes}
    head = "\n".join(f"- {name}: {words}" for name, words in on.items())
    who = "\n".join(f"- **{name}**: {what}" for name, what in settings.items())
    return "\n\n".join(["# What it costs", head, who, *(_section(*case) for case in measured)]) + "\n"


def _section(workload: Workload, outcomes: list[Outcome]) -> str:
    runs = max((len(outcome.runs) for outcome in outcomes), default=0)
    title = outcomes[0].case if outcomes else "nobody took part"
    return f"## {workload.name}, {title}\n\nMedians of {runs} runs.\n\n{table(list(workload.columns), outcomes)}"
