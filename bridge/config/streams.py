"""What runs: every watch on each of its scopes is one stream."""

from msgspec import Struct

from bridge.config.tree import Config
from bridge.config.watch import Watch


class StreamSpec(Struct, frozen=True):
    """One stream as the config asks for it. The name is unique in a config and holds no `/`."""

    name: str
    watch: Watch
    namespace: str | None
    """None: all namespaces, or a resource that has none."""


def streams(config: Config) -> list[StreamSpec]:
    """In the order of the file."""
    return [stream for watch in config.watches for stream in streams_of(watch)]


def streams_of(watch: Watch) -> list[StreamSpec]:
    """One stream for all namespaces, or one for each that is listed."""
    if not watch.namespaces:
        return [StreamSpec(watch.stream, watch, None)]
    return [StreamSpec(f"{watch.stream}.{namespace}", watch, namespace) for namespace in watch.namespaces]
