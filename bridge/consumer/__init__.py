"""The other half of the protocol: from the records of a topic back to the objects. For any project that consumes them.

Reading order: records (what stands in a topic), state (what a consumer remembers), follower (records in, outcomes out),
intake (a batch of a partition, whole or not at all), stores (where it is remembered), loop (Kafka around it).

    store = SqliteStore(Path("pods.db"))                         # or MemoryStore(), or one of your own: `state.Store`
    loop = Loop(store, topics, print, {"bootstrap_servers": "kafka:9092"}, group=None)
    await loop.run(asyncio.Event(), once=False)                  # topics: async () -> {"k8s.pods": 12}

Without Kafka: `Intake(store).take(Log(topic, partition), entries)`, and look at what it returns.
"""
