"""What is to be written."""

from msgspec import Struct


class Plan(Struct, frozen=True):
    """ConfigMaps number *start* to *start* + *objects*, spread over *namespaces*, of *size* bytes.

    With a *rate* (per second) they are there and are changed in turn for *seconds*; without, they are made.
    """

    url: str
    ca: str
    token: str
    acknowledgements: str
    objects: int
    size: int
    start: int = 0
    namespaces: int = 1
    rate: float = 0.0
    seconds: float = 0.0


class Written(Struct, frozen=True):
    """One acknowledged change. *at* is monotonic, in seconds."""

    version: int
    at: float
