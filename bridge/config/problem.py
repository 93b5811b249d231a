"""What can be wrong with a config file, said so that a person can mend it."""

from msgspec import Struct


class Problem(Struct, frozen=True):
    """One thing to mend. Never holds the value of a secret field, nor one from elsewhere that could not be read."""

    file: str
    line: int
    """Counted from 1; 0 where no line is to blame."""
    path: str
    """The field as a person would point at it: `watches[0].topic`; empty: the file as a whole."""
    what: str
    mend: str

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part)
        head = ": ".join(part for part in (place, self.path) if part)
        text = f"{self.what}. {self.mend}".strip()
        return f"{head}: {text}" if head else text


class ConfigError(Exception):
    """The file cannot be used. Holds every problem of it, in the order of its lines."""

    def __init__(self, problems: list[Problem]) -> None:
        assert problems
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class RestartNeeded(ConfigError):  # noqa: N818 -- the file is right: it is the bridge that is in the way
    """The file can be used, but not by a bridge that runs by another one. Its problems are the fields in the way."""


class Misread(ValueError):  # noqa: N818 -- the word for one value that is wrong; its finder adds the place
    """One value is wrong; who knows the file, line and field makes a `Problem` of it."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend
