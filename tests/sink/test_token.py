"""`bridge.sink.token`: a token as long as it holds, from a file or a command."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.config.kafka import Token
from bridge.config.secret import Secret
from bridge.sink import token
from bridge.sink.token import LoginError, Tokens
from tests.servers.secure import token_for


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """One test is about it; the others would wait for it."""
    monkeypatch.setattr(token, "PAUSE", 0.0)
    monkeypatch.setattr(token, "SETTLED", 0.0)


class Program:
    """A command that prints what it is told to, and counts its runs."""

    def __init__(self, directory: Path) -> None:
        self._path, self._runs = directory / "program", directory / "runs"

    def prints(self, text: str, code: int = 0) -> "Program":
        printed = self._path.with_suffix(".txt")
        printed.write_text(text)
        self._path.write_text(f"#!/bin/sh\necho >> '{self._runs}'\ncat '{printed}'\nexit {code}\n")
        self._path.chmod(0o755)
        return self

    @property
    def runs(self) -> int:
        return len(self._runs.read_text())

    def tokens(self) -> Tokens:
        return Tokens(Token(command=(Secret(str(self._path)), Secret("S3CRET"))))


def walk(tokens: Tokens, *acts: Callable[[], object]) -> list[str]:
    """The token, or what went wrong, before and after each of *acts*."""

    async def steps() -> list[str]:
        said = []
        for act in (lambda: None, *acts):
            act()
            try:
                said.append(await tokens.now())
            except LoginError as error:
                said.append(str(error))
        return said

    return asyncio.run(steps())


def test_a_file_is_read_for_every_connection(tmp_path: Path) -> None:
    """The kubelet renews it when it likes; where it is half written or gone, what was there still holds."""
    file = tmp_path / "token"
    file.write_text("T1\n")

    said = walk(Tokens(Token(file=str(file))), lambda: file.write_text("T2"), lambda: file.write_text(""), file.unlink)

    assert said == ["T1", "T2", "T2", "T2"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it holds nothing. It must hold the token"),
        ("S3CRET S3CRET", "it holds more than a token, or characters that none may hold. Let it be the token alone"),
        ("S3CRET\x01auth=x", "it holds more than a token, or characters that none may hold. Let it be the token alone"),
        ('{"token": "S3CRET"}', "it is no JSON with an access_token. Let it be the token alone"),
        ('{"access_token": "S3CRET"', "it is no JSON with an access_token. Let it be the token alone"),
    ],
)
def test_what_is_no_token_is_named_unseen(text: str, why: str, tmp_path: Path) -> None:
    """The setting, the place and the mend; never what is there."""
    file = tmp_path / "token"
    file.write_text(text)

    assert walk(Tokens(Token(file=str(file)))) == [f"kafka.sasl.token.file ({file}): {why}"]


def test_an_expired_token_is_not_sent(tmp_path: Path) -> None:
    """The broker would say "invalid_token" and no more; but clocks may differ by a minute."""
    file = tmp_path / "token"
    late = token_for("me", -30.0)
    file.write_text(late)

    said = walk(Tokens(Token(file=str(file))), lambda: file.write_text(token_for("me", -3600.0)))

    assert said[0] == late
    assert said[1].startswith(f"kafka.sasl.token.file ({file}): the token has expired, at 20")
    assert said[1].endswith("What renews it has stopped, or a clock is wrong")


def test_a_command_runs_when_most_of_the_life_is_over(tmp_path: Path) -> None:
    """A start opens hundreds of connections, and a cloud's login counts."""
    for text in (token_for("me"), json.dumps({"access_token": "T", "expires_in": 3600}), "T"):
        program = Program(tmp_path).prints(text)
        before = program.runs if (tmp_path / "runs").exists() else 0
        walk(program.tokens(), *(lambda: None,) * 5)
        assert program.runs == before + 1

    program.prints(json.dumps({"access_token": "T", "expires_in": "0.1"}))
    walk(program.tokens(), lambda: time.sleep(0.1))
    assert program.runs == before + 3


def test_a_refused_token_is_fetched_anew(tmp_path: Path) -> None:
    """It may have been revoked long before its time."""
    program = Program(tmp_path).prints("T1")
    tokens = program.tokens()

    def refused() -> None:
        program.prints("T2")
        tokens.refused()

    assert walk(tokens, lambda: None, refused) == ["T1", "T1", "T2"]


def test_a_token_that_holds_outlives_a_failing_command(tmp_path: Path) -> None:
    """The login is down for a minute: nothing stops before the token does, and then it is said why."""
    program = Program(tmp_path).prints(json.dumps({"access_token": "T", "expires_in": 1}))

    def spoil() -> None:
        program.prints("S3CRET", 7)
        time.sleep(0.85)

    said = walk(program.tokens(), spoil, lambda: time.sleep(0.3))

    assert said[:2] == ["T", "T"]
    assert said[2].startswith(f"kafka.sasl.token.command ({tmp_path}/program): {tmp_path}/program ended with 7.")
    assert "S3CRET" not in said[2]


def test_a_failure_stands_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All streams ask at once, for every broker: a slow login that fails must not be run for each in turn."""
    monkeypatch.setattr(token, "PAUSE", 60.0)
    program = Program(tmp_path).prints("", 7)

    said = walk(program.tokens(), *(lambda: None,) * 20)

    assert len(set(said)) == 1
    assert program.runs == 1
