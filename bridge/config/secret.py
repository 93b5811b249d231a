"""A text that must not be seen."""


class Secret(str):
    """Prints as ***: in logs, errors, reprs and f-strings. `reveal` is the one way to the text."""

    __slots__ = ()

    def reveal(self) -> str:
        return str.__str__(self)

    def __repr__(self) -> str:
        return "***"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return format("***", spec)
