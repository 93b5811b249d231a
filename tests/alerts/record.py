"""Records an outage: two replicas on the sandbox, scraped as Prometheus does, while one thing after another goes away.

`make outage` writes outage.json anew, in 21 minutes. test_alerts.py evaluates the alerts on it.
"""

import json
import re
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bridge.sandbox.background import Sandbox
from bridge.sandbox.pair import Wish
from tests.bridge_process import BridgeProcess
from tests.web.running import url_of

HERE = Path(__file__).parent
INTERVAL = 15
"""Seconds between two scrapes: k8s/monitoring/podmonitor.yaml says the same."""
SAMPLE = re.compile(r"(?P<name>bridge_\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
MOMENT = re.compile(r"_timestamp_seconds$")
LIMIT = "90s"

CONFIG = {
    "kafka": {"bootstrapServers": "${KAFKA_BOOTSTRAP_SERVERS}"},
    "topics": {"partitions": 1},
    "verifyInterval": "20s",
    "watches": [{"resource": each, "staleAfter": LIMIT} for each in ("events", "pods", "configmaps")],
}

Act = Callable[[Sandbox, dict[str, BridgeProcess]], None]
ACTS: dict[int, tuple[str, Act]] = {
    90: ("Kafka goes away", lambda sandbox, _: sandbox.wait(lambda servers: servers.broker.stop())),
    360: ("Kafka is back", lambda sandbox, _: sandbox.wait(lambda servers: servers.broker.start())),
    480: ("the API server goes away", lambda sandbox, _: sandbox.wait(lambda servers: servers.api.close())),
    900: ("the API server is back", lambda sandbox, _: sandbox.wait(lambda servers: servers.api.start())),
    1020: ("one replica is killed", lambda _, replicas: replicas["event-bridge-b"].kill()),
    1080: ("the other replica is killed", lambda _, replicas: replicas["event-bridge-a"].kill()),
}
"""By the second at which they happen, each a moment before a scrape."""
END = 1260


def record() -> dict[str, Any]:
    samples: dict[str, dict[int, str]] = {}
    with tempfile.TemporaryDirectory() as directory, Sandbox(Wish(rate=5)) as sandbox:
        replicas = {name: _replica(Path(directory, name), sandbox) for name in ("event-bridge-a", "event-bridge-b")}
        for process in replicas.values():
            process.start()
        urls = {name: url_of(process) for name, process in replicas.items()}
        time.sleep(INTERVAL)  # the first scrape comes when it comes
        begin = time.time()
        try:
            for second in range(0, END + 1, INTERVAL):
                time.sleep(max(0.0, begin + second - time.time()))
                if second in ACTS:
                    print(f"{second:5} s  {ACTS[second][0]}", flush=True)
                    ACTS[second][1](sandbox, replicas)
                for name, url in urls.items():
                    for series, value in _scrape(url, name, begin).items():
                        samples.setdefault(series, {})[second // INTERVAL] = value
        finally:
            for process in replicas.values():
                process.kill()
    acts = {what: second for second, (what, _) in ACTS.items()}
    return {
        "interval": INTERVAL,
        "end": END,
        "acts": acts,
        "series": {name: _written(taken) for name, taken in sorted(samples.items())},
    }


def _replica(directory: Path, sandbox: Sandbox) -> BridgeProcess:
    directory.mkdir()
    return BridgeProcess(CONFIG, directory, {**sandbox.environment, "HOSTNAME": directory.name})


def _scrape(url: str, pod: str, begin: float) -> dict[str, str]:
    """With the labels that the PodMonitor gives. promtool's clock begins at 0: so do times here."""
    try:
        with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
    except (urllib.error.URLError, OSError):
        return {}
    found = {}
    for match in filter(None, map(SAMPLE.fullmatch, lines)):
        labels = ",".join(filter(None, [match["labels"], f'namespace="event-bridge",job="event-bridge",pod="{pod}"']))
        value = float(match["value"]) - (begin if MOMENT.search(match["name"]) else 0.0)
        found[f"{match['name']}{{{labels}}}"] = f"{round(value, 3):g}" if abs(value) < 1e5 else f"{value:.0f}"
    return found


def _written(taken: dict[int, str]) -> str:
    """As promtool takes series: `_` where there is none yet, and, once a series is no longer told, `stale`."""
    values = []
    for at in range(END // INTERVAL + 1):
        ended = at not in taken and at - 1 in taken
        values.append(taken.get(at, "stale" if ended else "_"))
    return " ".join(values)


def main() -> int:
    (HERE / "outage.json").write_text(json.dumps(record(), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
