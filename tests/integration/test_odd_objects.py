"""Objects that are hard to carry: too large ones, and ones with every kind of character."""

import json
import ssl
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.audit.records import Record, parse
from tests.load import CONFIGMAPS
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker
from tests.trial import Trial, trial

pytestmark = pytest.mark.integration

Clusters = Callable[[], Cluster]

LARGE = "abc\n\n" * 200_000
"""1,000,000 bytes, which a ConfigMap may hold (1 MiB), and 1,400,000 in JSON: more than the 1 MiB of a record."""

WIDTHS = '\t\\"</>& a\x7f\u0080ä\u07ff\u0800世\ufffd\U00010000🌍\U0010fffd \u2028\u2029'
"""UTF-8 of one to four bytes at the edges, and what JSON encoders like to escape in ways of their own."""


async def test_an_object_that_is_too_large_goes_out_as_metadata(
    new_cluster: Clusters, broker: Broker, tmp_path: Path
) -> None:
    """Live and in a snapshot, and counted like any other: consumers know that it is there, and how large."""
    watches = [{"resource": "configmaps", "topic": "large"}]
    async with trial(new_cluster(), broker, tmp_path, watches, name="large") as run:
        writer = await run.writer(CONFIGMAPS)
        await writer.create(CONFIGMAPS, "team-a", "before", data={"text": LARGE})
        run.bridge.start()
        await run.synced()
        await writer.create(CONFIGMAPS, "team-a", "live", data={"text": LARGE})
        await writer.change(CONFIGMAPS, "team-a", "live")
        await writer.delete(CONFIGMAPS, "team-a", "live")
        await run.caught_up(writer)
        report = await run.verdict(await writer.ledger())
        records = await _records(run)

    assert report.ok
    large = {(r.value.type, r.key) for r in records if r.value.oversize and r.value.oversize > 1_400_000}
    assert large == {
        ("LISTED", "configmaps/team-a/before"),
        ("ADDED", "configmaps/team-a/live"),
        ("MODIFIED", "configmaps/team-a/live"),
        ("DELETED", "configmaps/team-a/live"),
    }
    assert all(r.value.oversize is None for r in records if r.key not in {key for _, key in large})
    assert "oversize" in run.bridge.log.read_text().lower()


async def test_an_objects_bytes_are_the_api_servers(new_cluster: Clusters, broker: Broker, tmp_path: Path) -> None:
    """Not the same JSON: the same bytes."""
    watches = [{"resource": "configmaps", "topic": "widths"}]
    async with trial(new_cluster(), broker, tmp_path, watches, name="widths") as run:
        writer = await run.writer(CONFIGMAPS)
        await writer.create(CONFIGMAPS, "team-a", "listed", data={"text": WIDTHS, "many": WIDTHS * 2000})
        run.bridge.start()
        await run.synced()
        await writer.create(CONFIGMAPS, "team-a", "live", data={"text": WIDTHS, "many": WIDTHS * 2000})
        await run.caught_up(writer)
        report = await run.verdict(await writer.ledger())
        (log,) = await run.logs()
        contents = {
            name: _get(run.cluster, f"/api/v1/namespaces/team-a/configmaps/{name}") for name in ("listed", "live")
        }

    assert report.ok
    for name, content in contents.items():
        assert json.loads(content)["data"]["text"] == WIDTHS
        (value,) = [entry.value for entry in log.entries if entry.key == f"configmaps/team-a/{name}".encode()]
        assert content.strip() in value


async def _records(run: Trial) -> list[Record]:
    return [r for log in await run.logs() for r in map(parse, log.entries) if isinstance(r, Record)]


def _get(cluster: Cluster, path: str) -> bytes:
    request = urllib.request.Request(cluster.url + path, headers={"Authorization": f"Bearer {cluster.token}"})
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=cluster.ca)) as reply:
        content: bytes = reply.read()
    return content
