"""Watches Kubernetes resources and publishes every change to Apache Kafka: exactly once, in order, gaps announced.

The tree is the data's way. `source/` turns API-server bytes into events, `sink/` turns events into transactions;
they meet only in `stream`; what they share is `model/`. Start reading at `model/event.py`, then `stream.py`.
"""
