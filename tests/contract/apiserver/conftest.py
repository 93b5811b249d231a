"""Each test twice: on the sandbox, on a clock that jumps, and on the real kube-apiserver, marked `integration`."""

import pytest

from tests.contract.apiserver.sides import Real, Sandbox, Side


@pytest.fixture(params=["sandbox", pytest.param("real", marks=pytest.mark.integration)])
def side(request: pytest.FixtureRequest) -> Side:
    if request.param == "sandbox":
        return Sandbox()
    return Real(request.getfixturevalue("cluster"))
