"""A bridge as a process, asked over HTTP as a kubelet asks it. Blocking."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.bridge_process import BridgeProcess
from tests.replicas import log_of

PATIENCE = 60.0
"""Seconds for what should happen soon: the machine may be busy."""


class Answer(NamedTuple):
    status: int
    text: str


def url_of(bridge: BridgeProcess) -> str:
    """Of its present life, as its log names it."""
    bridge.says("http listening", PATIENCE)
    return str([line["url"] for line in log_of(bridge) if line["event"] == "http listening"][-1])


def ask(url: str, path: str) -> Answer:
    try:
        with urllib.request.urlopen(url + path, timeout=10) as answer:
            return Answer(answer.status, answer.read().decode())
    except urllib.error.HTTPError as refused:
        return Answer(refused.code, refused.read().decode())


def status(url: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(ask(url, "/status").text)
    return document


def until(url: str, path: str, holds: Callable[[Answer], bool], bridge: BridgeProcess) -> Answer:
    """What is answered, as soon as that *holds*."""
    ends = time.monotonic() + PATIENCE
    while not holds(answer := ask(url, path)):
        assert time.monotonic() < ends, f"{answer.status} {answer.text[:2000]}\n{bridge.tail()}"
        time.sleep(0.1)
    return answer
