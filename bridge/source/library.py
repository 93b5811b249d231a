"""What is used of kubernetes_asyncio, without the rest of it.

To import its REST client is to import all its 850 modules of models and APIs, none of which a bridge touches: 40 MiB of
memory and a second of start for each replica and sidecar (measured, version 36). So its packages are passed by.
"""

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubernetes_asyncio.client.configuration import Configuration
    from kubernetes_asyncio.client.rest import RESTClientObject

PACKAGES = ("kubernetes_asyncio", "kubernetes_asyncio.client")


@contextlib.contextmanager
def _bare() -> Iterator[None]:
    """Within it the packages are empty; whoever imports them later gets them whole."""
    kept = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == PACKAGES[0]}
    root = importlib.util.find_spec(PACKAGES[0]) if not kept else kept[PACKAGES[0]].__spec__
    if root is None or root.submodule_search_locations is None:
        raise ModuleNotFoundError(f"No module named {PACKAGES[0]!r}", name=PACKAGES[0])
    places = list(root.submodule_search_locations)
    for name in kept:
        del sys.modules[name]
    for name in PACKAGES:
        package = sys.modules[name] = ModuleType(name)
        package.__path__ = [f"{place}/client" if name.endswith(".client") else place for place in places]
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGES[0]]:
            del sys.modules[name]
        sys.modules.update(kept)


if not TYPE_CHECKING:
    with _bare():
        Configuration = importlib.import_module("kubernetes_asyncio.client.configuration").Configuration
        RESTClientObject = importlib.import_module("kubernetes_asyncio.client.rest").RESTClientObject

__all__ = ["Configuration", "RESTClientObject"]
