"""`bridge.source.library`: a sidecar's memory, which stands in every pod of a Deployment."""

import subprocess
import sys

PROGRAM = """
import sys
import bridge.source.session
print(len([name for name in sys.modules if name.startswith("kubernetes_asyncio")]))
import kubernetes_asyncio.client
print(kubernetes_asyncio.client.V1Pod.__name__)
"""


def test_models_that_nobody_uses_are_not_loaded() -> None:
    """They are 40 MiB and a second. Whoever wants the library beside us (a test, a tool) gets all of it."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["0", "V1Pod"]
