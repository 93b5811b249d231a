"""Who hears what the bridge tells, beside the log and the metrics: the board behind the status page, if any."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[object], None]

_listeners: list[Listener] = []
"""As with loggers, those of the process: a mistake in who is told must not reach through every constructor."""


def tell(told: object) -> None:
    for listener in _listeners:
        listener(told)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """*listener* hears all that is told meanwhile. It must not fail, and not wait."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
