"""A text that must not be seen."""

from typing import Self


class Secret(str):
    """Prints as ***: in logs, errors, reprs and f-strings. `reveal` is the one way to the text.

    *file* is where it was read from, empty if it stands elsewhere: such a file may be renewed while we run.
    """

    __slots__ = ("file",)
    file: str

    def __new__(cls, text: str = "", file: str = "") -> Self:
        secret = super().__new__(cls, text)
        secret.file = file
        return secret

    def reveal(self) -> str:
        return str.__str__(self)

    def __repr__(self) -> str:
        return "***"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return format("***", spec)
