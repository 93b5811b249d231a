"""How hard the properties are looked into: seconds by default, `PROPERTIES_DEPTH=50` for a night."""

import os

from hypothesis import HealthCheck, settings

DEPTH = int(os.environ.get("PROPERTIES_DEPTH", "1"))


def tries(number: int) -> settings:
    """So many examples, times the depth. A machine that is busy makes slow examples, which prove as much."""
    return settings(max_examples=number * DEPTH, deadline=None, suppress_health_check=[HealthCheck.too_slow])
