"""`python -m bench.firehose PORT DIRECTORY`: how the benchmark starts it."""

import sys
from pathlib import Path

from bench.firehose.server import serve

if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
