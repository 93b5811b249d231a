"""`python -m bench`: every workload with every contestant, in turns, and a table of the medians.

`python -m bench stream --only bridge --count 100000 --size 2200 --runs 1` measures one thing quickly;
`--profile FILE` with it writes a profile of the bridge for `python -m pstats` (cProfile: its CPU is then no figure).
"""

import argparse
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from bench import machine, report
from bench.contestants.contestant import Contestant
from bench.lab import Lab
from bench.roster import workloads
from bench.tables import Outcome, table
from bench.workloads.workload import Case, Figures, Workload
from tests.servers import build
from tests.servers.steps import BuildError

RUNS = 5
QUICK_RUNS = 3
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    options = _options()
    build.build()
    chosen = [one for one in workloads() if one.name in (options.workloads or [one.name])]
    if options.quick:
        chosen = [one for one in chosen if one.quick]
    on = machine.described()
    ready, left_out = _ready(chosen, options)
    if not ready:
        say("== nobody takes part")
        return 2
    on |= {"left out": "; ".join(left_out)} if left_out else {}
    measured: list[report.Measured] = []
    with Lab(options.profile) as lab:
        for workload in chosen:
            for case in _cases(workload, options):
                takes_part = [one for one in workload.contestants if one.name in ready]
                measured.append((workload, _measured(lab, workload, case, takes_part, _runs(options))))
                say(f"\n{workload.name}, {case.title}\n{table(list(workload.columns), measured[-1][1])}\n")
                report.write(options.output, on, measured)
    say(f"== written: {options.output / 'results.md'} and results.json")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("workloads", nargs="*", help="all of them if none is named")
    parser.add_argument("--only", action="append", help="a contestant, or all whose names begin so; may be repeated")
    parser.add_argument("--runs", type=int, help=f"of each contestant ({RUNS})")
    parser.add_argument("--count", type=int, help="changes or objects, instead of the workload's own cases")
    parser.add_argument("--size", type=int, help="bytes of a pod, instead of the workload's own cases")
    parser.add_argument(
        "--quick", action="store_true", help="a small part, within three minutes on an idle machine; builds nothing"
    )
    parser.add_argument("--profile", type=Path, help="write a profile of the bridge here")
    parser.add_argument("--output", type=Path, default=RESULTS, help="directory of the results")
    options = parser.parse_args()
    known = [one.name for one in workloads()]
    if wrong := set(options.workloads) - set(known):
        parser.error(f"no workload {', '.join(sorted(wrong))}: there are {', '.join(known)}")
    return options


def _runs(options: argparse.Namespace) -> int:
    return int(options.runs or (QUICK_RUNS if options.quick else RUNS))


def _cases(workload: Workload, options: argparse.Namespace) -> Sequence[Case]:
    cases = workload.quick if options.quick else workload.cases
    if not options.count and not options.size:
        return cases
    first = cases[0]
    count, size = options.count or first.count, options.size or first.size
    return [Case(f"{count:,} of {size:,} bytes", count, size)]


def _ready(chosen: list[Workload], options: argparse.Namespace) -> tuple[set[str], list[str]]:
    """Names of those that are built, and in words who is left out: in sight of everybody."""
    ready: set[str] = set()
    left_out: list[str] = []
    everyone = {one.name: one for workload in chosen for one in workload.contestants}
    for name, contestant in everyone.items():
        if options.only and not any(_is_meant(name, wanted, everyone) for wanted in options.only):
            continue
        if options.quick and contestant.variant:
            continue
        if why := _obstacle(contestant, options.quick):
            left_out.append(f"{name}: {why}")
            say(f"== LEFT OUT: {left_out[-1]}")
        else:
            ready.add(name)
    return ready, left_out


def _is_meant(name: str, wanted: str, everyone: Collection[str]) -> bool:
    """By the whole name if there is one like it, else by its beginning."""
    return name == wanted if wanted in everyone else name.startswith(wanted)


def _obstacle(contestant: Contestant, quick: bool) -> str:
    if contestant.built():
        return ""
    if lacking := contestant.missing():
        return f"{lacking} is missing on this machine"
    if quick:
        return "not built yet, which `make bench` does"
    try:
        contestant.build()
    except BuildError as error:
        return str(error)
    return ""


def _measured(lab: Lab, workload: Workload, case: Case, takes_part: list[Contestant], runs: int) -> list[Outcome]:
    """Everybody in turn, again and again: what disturbs the machine for a while disturbs all."""
    figures: dict[str, list[Figures]] = {one.name: [] for one in takes_part}
    failures: dict[str, list[str]] = {one.name: [] for one in takes_part}
    for number in range(1, runs + 1):
        for one in takes_part:
            told = f"== {workload.name}, {case.title}, run {number}, {one.name}"
            try:
                figures[one.name].append(workload.run(lab, one, case))
            except (TimeoutError, OSError, LookupError) as error:
                failures[one.name].append(str(error).partition("\n")[0])
                say(f"{told}: FAILED: {error}")
            else:
                say(f"{told}: {_in_words(workload, figures[one.name][-1])}")
    return [
        Outcome(workload.name, case.title, one.name, one.what, one.cannot, figures[one.name], failures[one.name])
        for one in takes_part
    ]


def _in_words(workload: Workload, figures: Figures) -> str:
    known = [column for column in workload.columns if column.key in figures]
    return ", ".join(f"{column.title} {figures[column.key]:,.{column.digits}f}" for column in known)


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
