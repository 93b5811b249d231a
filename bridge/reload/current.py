"""The configuration that is in force: what is to run by it, and what follows where another one takes its place."""

import sys
from collections import defaultdict
from collections.abc import Callable, Sequence

from bridge.config.changes import NOTHING, compare
from bridge.config.streams import StreamSpec, streams
from bridge.config.tree import Config, Log
from bridge.reload.telling import ConfigApplied, ConfigUnchanged
from bridge.sink import covers
from bridge.source.buffer import Pool
from bridge.telemetry import configure_logging


class Current:
    """Owns the configuration that is in force, and the pool, which is parted by it."""

    def __init__(self, config: Config, file: str, adopted: Callable[[Config], None]) -> None:
        """*file* is the config file's name, for the log. *adopted* is told of each configuration that comes after."""
        self.config = config
        self.file = file
        self._adopted = adopted
        self.pool = Pool(config.buffer, len(streams(config)))
        self._places = _places(config)

    @property
    def count(self) -> int:
        """How many streams there are."""
        return sum(len(specs) for specs in self._places.values())

    def specs(self, partition: int) -> Sequence[StreamSpec]:
        """The streams whose checkpoints lie in that partition of the checkpoint topic: its owner runs them."""
        return self._places.get(partition, ())

    def adopt(self, config: Config) -> None:
        """What this process has of its own follows; who runs streams is to see to them."""
        difference = compare(self.config, config)
        assert not difference.restart, "such a file is not taken up"
        if config.log != self.config.log:
            log_by(config.log)
        self.config = config
        self._places = _places(config)
        self.pool.resize(config.buffer, self.count)
        self._adopted(config)
        if difference == NOTHING:
            ConfigUnchanged(self.file).emit()
        else:
            added, removed, changed = difference.added, difference.removed, difference.changed
            ConfigApplied(self.file, added, removed, changed, difference.settings).emit()


def log_by(settings: Log) -> None:
    """Log as the config says."""
    form = settings.format or ("console" if sys.stderr.isatty() else "json")
    configure_logging(settings.level, console=form == "console")


def place_of(config: Config, spec: StreamSpec) -> int:
    """The partition of the checkpoint topic whose owner runs that stream."""
    return covers.target_of(config.checkpoint_topic, config.checkpoints.partitions, spec.name).partition


def _places(config: Config) -> dict[int, list[StreamSpec]]:
    places: defaultdict[int, list[StreamSpec]] = defaultdict(list)
    for spec in streams(config):
        places[place_of(config, spec)].append(spec)
    return dict(places)
