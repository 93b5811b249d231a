"""The metrics, in the registry of prometheus_client, which only this file knows. `telemetry` counts them."""

from prometheus_client import Counter, Gauge, Histogram

RECORDS = Counter("bridge_records", "Records committed to Kafka, by type.", ["stream", "type"])
BYTES = Counter("bridge_record_bytes", "Bytes of keys and values committed to Kafka, before compression.", ["stream"])
COMMITS = Counter("bridge_commits", "Transactions committed.", ["stream"])
COMMIT_SECONDS = Histogram(
    "bridge_commit_seconds",
    "From the first record of a transaction handed to Kafka to its commit.",
    ["stream"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15),
)
POSITION_TIME = Gauge("bridge_position_timestamp_seconds", "When the committed position was learnt.", ["stream"])
RESTARTS = Counter("bridge_restarts", "New epochs begun, by reason.", ["stream", "reason"])
RELISTS = Counter("bridge_relists", "Snapshots completed.", ["stream"])
RELIST_SECONDS = Histogram(
    "bridge_relist_seconds", "How long snapshots took.", ["stream"], buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600)
)
WATCHES = Counter("bridge_watches", "Watches opened at a known position: the first, and every reconnect.", ["stream"])
VERIFICATIONS = Counter("bridge_verifications", "Silent streams that found that nothing was missed.", ["stream"])
VERIFIED = Gauge("bridge_verified_timestamp_seconds", "When a silent stream was last found to be right.", ["stream"])
DIFFERENCES = Counter("bridge_differences", "Objects of which the API server had told nothing or not all.", ["stream"])
FAULTS = Counter("bridge_faults", "What went wrong with the API server, by the verdict on it.", ["stream", "verdict"])
RECOVERIES = Counter("bridge_recoveries", "Fresh starts from the checkpoint after a failure.", ["stream"])
MISTAKES = Counter("bridge_mistakes", "Fresh starts of what runs beside streams, after a mistake of ours.", ["task"])
PARTITIONS = Gauge("bridge_owned_partitions", "Partitions of the checkpoint topic that this replica owns.")
BUFFERED = Gauge("bridge_buffer_bytes", "Bytes of changes that wait for Kafka.", ["stream"])
BUFFER_FULL = Counter("bridge_buffer_full", "Watches closed because the buffer was full.", ["stream"])
OVERSIZE = Counter("bridge_oversize", "Objects published as metadata only: larger than maxMessageBytes.", ["stream"])
RELOADS = Counter("bridge_config_reloads", "Looks at a config file that has changed, by what came of it.", ["result"])
CONFIG_SUCCESSFUL = Gauge("bridge_config_last_reload_successful", "1: the config file can be used; 0: it cannot.")
CONFIG_TIME = Gauge(
    "bridge_config_last_reload_success_timestamp_seconds", "When the configuration that is in force was taken up."
)
CONFIG_PENDING = Gauge(
    "bridge_config_pending",
    "1: a changed config file waits until all replicas have it; the one before is in force.",
)


def forget(stream: str) -> None:
    """One that the config has no longer: what it was like must not look like news."""
    for gauge in (POSITION_TIME, VERIFIED, BUFFERED):
        gauge.remove(stream)
