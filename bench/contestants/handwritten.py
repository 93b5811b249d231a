"""The program in Python that most people would write: kubernetes-asyncio's Watch, aiokafka's send."""

import sys
from importlib.metadata import version
from pathlib import Path

from bench.contestants.contestant import Job, Plain

SCRIPT = Path(__file__).parents[1] / "peers" / "python" / "watch_and_send.py"


class Handwritten(Plain):
    """Both libraries are the bridge's own, so there is nothing to build."""

    name = "Python, Watch + send"
    what = (
        f"kubernetes-asyncio {version('kubernetes-asyncio')} with its models, "
        f"aiokafka {version('aiokafka')}: idempotent, linger 5 ms, batches of 256 KiB, zstd, uvloop"
    )
    cannot = "no exactly once; a gap is silent; deletes in it are never told"
    slow = True
    variant = False

    def command(self, job: Job) -> list[str]:
        settings = [f"KUBECONFIG={job.kubeconfig}"]
        return ["env", *settings, sys.executable, str(SCRIPT), job.brokers, job.topic, job.resource]


HANDWRITTEN = Handwritten()
