import logging

import pytest

from bridge.cli.murmur import Murmur


def test_a_client_that_repeats_itself_is_heard_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    """Forty lines a second (measured, on a broker that is down) push what was read off the screen."""
    murmur = Murmur()
    for created in (1000.0, 1000.1, 1029.9, 1030.0, 1031.0):
        murmur.handle(said("aiokafka.conn", created))

    assert capsys.readouterr().err.splitlines() == ["aiokafka: at 1000.0", "aiokafka: at 1030.0"]


def test_others_are_always_heard(capsys: pytest.CaptureFixture[str]) -> None:
    """A fault of ours is not to be lost among the client's."""
    murmur = Murmur()
    for name in ("aiokafka", "asyncio", "asyncio"):
        murmur.handle(said(name, 1000.0))

    assert capsys.readouterr().err.splitlines() == ["aiokafka: at 1000.0", "asyncio: at 1000.0", "asyncio: at 1000.0"]


def said(name: str, created: float) -> logging.LogRecord:
    record = logging.LogRecord(name, logging.ERROR, "", 0, "at %s", (created,), None)
    record.created = created
    return record
