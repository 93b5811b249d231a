"""Compaction as Kafka's log cleaner does it: of each key the last record stays, at its offset.

All of a log is cleaned as if its segments had been rolled, up to the last stable offset, with these rules of LogCleaner
and RecordBatch: records of aborted transactions go; marks of a transaction's end stay; the newest batch stays, if need
be without records, so that the log's end can be reached by reading.
"""

from bridge.sandbox.broker.batch import Batch, Record, records, thinned
from bridge.sandbox.broker.log import Log


def clean(log: Log, *, tombstones: bool) -> None:
    """*tombstones*: whether they stay, as they do for delete.retention.ms."""
    unpacked = {batch.base: _records(batch, log) for batch in log.batches if _is_cleanable(batch, log)}
    latest = {record.key: record.offset for found in unpacked.values() for record in found}
    cleaned = []
    for batch in log.batches:
        if batch.base not in unpacked:
            cleaned.append(batch)
            continue
        kept = [
            record
            for record in unpacked[batch.base]
            if latest[record.key] == record.offset and (tombstones or record.value is not None)
        ]
        if len(kept) == batch.count:
            cleaned.append(batch)
        elif kept or batch is log.batches[-1]:
            cleaned.append(thinned(batch, kept))
    log.replace(cleaned)


def _is_cleanable(batch: Batch, log: Log) -> bool:
    return not batch.control and batch.last < log.stable


def _records(batch: Batch, log: Log) -> list[Record]:
    """Those that count. Without a key none does."""
    if batch.transactional and any(aborted.covers(batch) for aborted in log.aborted):
        return []
    found = records(batch)
    return [record for record in found if record.key is not None] if isinstance(found, list) else []
