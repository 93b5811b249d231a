"""How tests run: coroutines on a clock that jumps, or, marked `integration`, on the real one with a time limit.

No plugin: pytest-asyncio's loop handling fails a run with `filterwarnings = error` on Python 3.11. Fixtures are plain
functions; what must be awaited is an `async with` in the test.
"""

import asyncio
import inspect
from collections.abc import Coroutine

import pytest

from tests.clock import JumpingLoop
from tests.stuck import StuckError, where_tasks_wait

LIMIT = 300.0
"""For one integration test, in seconds, unless `@pytest.mark.integration(timeout=...)` says otherwise. The longest
thing that such a test may rightly wait for is a server on a busy machine, a minute or two."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="write the outcomes of scenarios back into their files")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is quick comes first."""
    items.sort(key=lambda item: item.get_closest_marker("integration") is not None)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    test = pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})
    if marker := pyfuncitem.get_closest_marker("integration"):
        asyncio.run(_within(float(marker.kwargs.get("timeout", LIMIT)), test))
    else:
        _run_jumping(test)
    return True


def _run_jumping(test: Coroutine[None, None, None]) -> None:
    with asyncio.Runner(debug=True, loop_factory=JumpingLoop) as runner:
        loop = runner.get_loop()
        try:
            runner.run(test)
        except StuckError as error:
            raise StuckError(f"{error}\n{where_tasks_wait(loop)}") from None


async def _within(seconds: float, test: Coroutine[None, None, None]) -> None:
    """The tasks are looked at before the test is cancelled: afterwards they are no longer where they hung."""
    running = asyncio.create_task(test, name="test")
    done, _ = await asyncio.wait({running}, timeout=seconds)
    if not done:
        places = where_tasks_wait(asyncio.get_running_loop())
        running.cancel()
        await asyncio.wait({running}, timeout=10)
        raise StuckError(f"the test did not end within {seconds:g} s\n{places}")
    await running
