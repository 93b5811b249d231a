"""Selectors that the config refuses are those that the API server refuses, and no others."""

from bridge.config.selectors import field_problem, label_problem
from tests.config.test_selectors import FIELDS, LABELS, NO_FIELDS, NO_LABELS
from tests.contract.apiserver.sides import Real
from tests.servers.apiserver import Cluster


async def test_the_api_server_judges_alike(cluster: Cluster) -> None:
    """A selector that is refused here and taken there would keep a bridge from its start."""
    differ = []
    async with Real(cluster).client() as client:
        for name, problem, selectors in (
            ("labelSelector", label_problem, [*LABELS, *NO_LABELS]),
            ("fieldSelector", field_problem, [*FIELDS, *NO_FIELDS]),
        ):
            for selector in selectors:
                found = await client.get("/api/v1/configmaps", **{name: selector})
                if (found.status == 200) is bool(problem(selector)):
                    differ.append((name, selector, found.status, problem(selector)))

    assert differ == []
