"""Every file in `wire/` is one conversation over sockets: what a server did, a rule, what must come of it (see `wire`).

`pytest --rewrite` writes the outcome back, as for the scenarios.
"""

from pathlib import Path

import pytest

from tests.scenarios import wire

FILES = sorted((Path(__file__).parent / "wire").glob("*.txt"))
RULE = "----\n"


class Conversation:
    """One of the files."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.script, _, self.expected = path.read_text().partition(RULE)

    def rewrite(self, outcome: str) -> None:
        self._path.write_text(self.script + RULE + outcome)


@pytest.mark.parametrize("conversation", [pytest.param(Conversation(path), id=path.stem) for path in FILES])
async def test_conversation(conversation: Conversation, request: pytest.FixtureRequest) -> None:
    """Whatever was said, the stream must live in the end: silent death is what people complain of most."""
    outcome = await wire.play(conversation.script)
    if request.config.getoption("--rewrite"):
        conversation.rewrite(outcome)
    else:
        assert outcome == conversation.expected
        assert outcome.splitlines()[-1] == wire.LIVES
