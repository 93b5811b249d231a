"""`python -m bench.writing PLAN`: a JSON file says what is to be written, and where the acknowledgements go."""

import sys
from pathlib import Path

import msgspec
import uvloop

from bench.writing.plan import Plan
from bench.writing.writer import make, touch


def main(path: Path) -> None:
    plan = msgspec.json.decode(path.read_bytes(), type=Plan)
    written = uvloop.run(touch(plan) if plan.rate else make(plan))
    place = Path(plan.acknowledgements)
    half = place.with_suffix(".half")
    half.write_bytes(msgspec.json.encode(written))
    half.rename(place)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
