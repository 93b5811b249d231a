"""Gathers every problem of one file, so that a person mends it in one go."""

from bridge.config.problem import Misread, Problem


class Report:
    """Owns the problems found so far, and knows on which line each field stands."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._lines: dict[str, int] = {}
        self._problems: list[Problem] = []

    def place(self, path: str, line: int) -> None:
        self._lines[path] = line

    def add(self, path: str, misread: Misread, line: int | None = None) -> None:
        """Without a line: the field's own, else that of the nearest field around it."""
        self._problems.append(Problem(self._file, line or self._line(path), path, misread.what, misread.mend))

    def blames(self, path: str) -> bool:
        """The field, one around it or one inside it is already known to be wrong: no second complaint helps."""
        return any(_inside(path, problem.path) or _inside(problem.path, path) for problem in self._problems)

    @property
    def problems(self) -> list[Problem]:
        return sorted(self._problems, key=lambda problem: problem.line)

    def _line(self, path: str) -> int:
        while path and path not in self._lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self._lines.get(path, 0)


def _inside(path: str, outer: str) -> bool:
    return path == outer or path.startswith((f"{outer}.", f"{outer}["))
