"""`python -m tests.servers`: a pair to play with, until Ctrl-C."""

import signal
import sys
import time
from contextlib import ExitStack
from types import FrameType
from typing import NoReturn

from tests.servers import build, versions
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker
from tests.servers.steps import BuildError


def main() -> int:
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)  # a shell starts background jobs with it ignored
    try:
        build.build()
        _run()
    except BuildError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n== ended; nothing is left running", flush=True)
    return 0


def _run() -> NoReturn:
    with ExitStack() as stack:
        print(f"== starting kube-apiserver {versions.KUBERNETES} (about 5 s) ...", flush=True)
        cluster = stack.enter_context(Cluster())
        print(f"== starting Kafka {versions.KAFKA} (about 8 s) ...", flush=True)
        broker = stack.enter_context(Broker())
        stack.callback(_let_nothing_disturb_the_end)
        print(_HELP.format(cluster=cluster, broker=broker), flush=True)
        while True:
            time.sleep(3600)


_HELP = """
Both are up; Ctrl-C ends them and removes their data.

  export KUBECONFIG={cluster.kubeconfig}
  export KAFKA_BOOTSTRAP_SERVERS={broker.bootstrap}

  API server  {cluster.url}   (administrator's token: {cluster.token})
  Kafka       {broker.bootstrap}   (plaintext, topics are not created by themselves)
  logs        {cluster.process.log}
              {broker.process.log}

Try in another terminal, after the two exports:

  kubectl create configmap hello --from-literal=a=1
  kubectl get configmaps --watch --output-watch-events

There is no kubelet: pods are objects that nobody runs, which is all that a watch sees.
"""


def _let_nothing_disturb_the_end() -> None:
    """A second Ctrl-C, or make's SIGTERM after the terminal's SIGINT, must not leave half of it behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
