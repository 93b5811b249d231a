"""Events in, Kafka transactions out. In the data's order: writer, draft, route, formats, batch, producer.

Beside them: `covers` and `checkpoints` (what is committed with the records, and how it is read again), `topics` (that
they exist), `connection` (what every client of Kafka shares). `writer` is the door. Nothing here knows the API server.
"""
