"""watch_and_send.py BROKERS TOPIC RESOURCE: from Kubernetes to Kafka, as the libraries' own examples do it.

A peer of the benchmark. It lists and then watches, uses the models to make keys, and sends the object as it came.
"""

import json
import sys
from typing import Any

import uvloop
from aiokafka import AIOKafkaProducer
from kubernetes_asyncio import client, config, watch


async def main(brokers: str, topic: str, resource: str) -> None:
    await config.load_kube_config()
    producer = AIOKafkaProducer(
        bootstrap_servers=brokers,
        enable_idempotence=True,
        linger_ms=5,
        max_batch_size=256 << 10,
        compression_type="zstd",
    )
    async with client.ApiClient() as api, producer:
        core = client.CoreV1Api(api)
        read = {"pods": core.list_pod_for_all_namespaces, "configmaps": core.list_config_map_for_all_namespaces}[
            resource
        ]
        objects: Any = await read()
        for one in objects.items:
            await send(producer, topic, "LISTED", one.metadata, api.sanitize_for_serialization(one))
        async with watch.Watch().stream(read, resource_version=objects.metadata.resource_version) as events:
            async for event in events:
                await send(producer, topic, event["type"], event["object"].metadata, event["raw_object"])


async def send(
    producer: AIOKafkaProducer, topic: str, kind: str, metadata: client.V1ObjectMeta, body: dict[str, object]
) -> None:
    key = f"{metadata.namespace}/{metadata.name}".encode()
    await producer.send(topic, json.dumps({"type": kind, "object": body}, separators=(",", ":")).encode(), key=key)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
