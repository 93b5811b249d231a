"""`event-bridge verify` on real servers: under load it finds nothing, without a bridge it finds everything."""

from pathlib import Path

from tests.load import CONFIGMAPS
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker
from tests.trial import trial
from tests.verify.verifying import keys, verified


async def test_it_passes_under_load_and_fails_without_the_bridge(
    cluster: Cluster, broker: Broker, tmp_path: Path
) -> None:
    """A check that cries wolf on a busy cluster is soon ignored; one that passes a dead bridge is worse."""
    watches = [{"resource": "configmaps", "namespaces": ["verified"], "topic": "verified.configmaps"}]
    async with trial(cluster, broker, tmp_path, watches, name="verified") as run:
        writer = await run.writer(CONFIGMAPS, namespaces=["verified"])
        for name in ("stays", "changes", "goes"):
            await writer.create(CONFIGMAPS, "verified", name)
        run.bridge.start()
        await run.synced()
        await writer.work(3, rate=40)

        code, report = await verified(run.bridge.config)

        assert code == 0, report
        assert report["streams"][0]["inCluster"] >= 3
        await run.caught_up(writer)
        run.bridge.kill()
        await writer.create(CONFIGMAPS, "verified", "new")
        await writer.change(CONFIGMAPS, "verified", "changes")
        await writer.delete(CONFIGMAPS, "verified", "goes")

        code, report = await verified(run.bridge.config, "--grace", "2")

    assert code == 1
    assert keys(report["streams"][0]) == {
        "missing": ["configmaps/verified/new"],
        "extra": ["configmaps/verified/goes"],
        "stale": ["configmaps/verified/changes"],
        "lagging": [],
    }
