"""Every file here is one conversation: what the server said, a rule, and what must come of it (see `play`).

`pytest --rewrite` writes the outcome back. Commit such a diff only if you can say why it is right.
The numbers at a file's beginning are those of the behaviours in docs/watching.md.
"""

from pathlib import Path

import pytest

from tests.scenarios.play import play

RULE = "----\n"


@pytest.mark.parametrize("path", sorted(Path(__file__).parent.glob("*.txt")), ids=lambda path: path.stem)
def test_scenario(path: Path, request: pytest.FixtureRequest) -> None:
    script, _, expected = path.read_text().partition(RULE)
    outcome = play(script)
    if request.config.getoption("--rewrite"):
        path.write_text(script + RULE + outcome)
    else:
        assert outcome == expected
