"""Tables: what `kubectl get` prints is made by the server, and kubectl only lays it out."""

import asyncio

import pytest

from tests.contract.apiserver.client import until
from tests.contract.apiserver.sides import Side
from tests.contract.apiserver.test_writes import failed

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


@pytest.mark.parametrize("included", ["", "Metadata", "Object", "None"])
async def test_rows_hold_as_much_of_their_objects_as_is_asked_for(side: Side, included: str) -> None:
    """`--sort-by`, `--field-selector` of a kubectl that looks itself, and `-o wide` all want whole objects."""
    asked = {"includeObject": included} if included else {}
    async with side.client() as client:
        path = await client.configmaps("a")
        whole = (await client.get(f"{path}/a")).body
        listed = await client.get(path, TABLE, **asked)
        single = await client.get(f"{path}/a", TABLE, **asked)
        async with client.watch(path, TABLE, **asked) as events:
            (event,) = await asyncio.wait_for(until(events, lambda _: True), 60)

    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": whole["metadata"]}
    expected = {"Object": whole, "None": None}.get(included, partial)
    rows = [one["rows"][0]["object"] for one in (listed.body, single.body, event["object"])]
    assert rows == [expected] * 3


async def test_a_table_of_something_else_is_refused(side: Side) -> None:
    async with side.client() as client:
        path = await client.configmaps("a")
        found = await client.get(path, TABLE, includeObject="Odd")

    problem = "includeObject: Invalid value: \"Odd\": must be 'Metadata', 'Object', 'None', or empty"
    assert found == failed(400, "BadRequest", f"Unable to convert to Table as requested: {problem}")
