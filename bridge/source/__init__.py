"""API-server bytes in, events out. In the data's order: lines, frames, machine (faults, index), reader.

`session`, `discovery` and `api` are the I/O; `reader` is the door. Nothing here knows of Kafka.
"""
