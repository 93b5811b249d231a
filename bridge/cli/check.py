"""`event-bridge check`."""

from bridge.cli.answer import Output, answer
from bridge.cli.file import ConfigFile, read


def check(config: ConfigFile = None, output: Output = "table") -> None:
    """Check the config file, both ends, and every stream. Changes nothing."""
    settings, name = read(config)

    from bridge.checks.check import run  # noqa: PLC0415 - heavy
    from bridge.cli.picture import draw  # noqa: PLC0415 - heavy

    answer(run(settings, name), output, draw)
