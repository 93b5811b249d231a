"""The other half of the protocol: from the records of a topic back to the objects. For any project that consumes them.

Reading order: records (what stands in a topic), state (what a consumer remembers), follower (records in, outcomes out),
intake (a batch of a partition, whole or not at all), stores (where it is remembered), loop (Kafka around it).
"""
