"""`python -m tests.audit --bootstrap ADDRESS --topic NAME`: judge topics from outside; exit code 1 if broken."""

import argparse
import asyncio
import sys
from pathlib import Path

import msgspec

from tests.audit.judge import judge
from tests.audit.ledger import Scope, load
from tests.audit.topics import read_topics


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.audit", description="Judge topics by the documented protocol."
    )
    parser.add_argument("--bootstrap", required=True, help="address of a broker")
    parser.add_argument("--topic", action="append", required=True, help="a topic to read whole; may be repeated")
    parser.add_argument("--ledger", type=Path, help="what was really done, as tests/load.py saves it")
    parser.add_argument("--scopes", type=Path, help="JSON list of what each stream follows, needed with --ledger")
    parser.add_argument("--repeats", action="store_true", help="as kafka.delivery: at-least-once may repeat records")
    arguments = parser.parse_args()
    if (arguments.ledger is None) != (arguments.scopes is None):
        parser.error("--ledger and --scopes belong together")
    logs = asyncio.run(read_topics(arguments.bootstrap, arguments.topic))
    scopes = msgspec.json.decode(arguments.scopes.read_bytes(), type=list[Scope]) if arguments.scopes else None
    report = judge(logs, scopes, load(arguments.ledger) if arguments.ledger else None, repeats=arguments.repeats)
    print(report)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
