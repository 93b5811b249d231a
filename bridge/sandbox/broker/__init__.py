"""A Kafka broker in memory: one node, whole protocol conversations, and operations that make it fail on demand.

`server` is the door. A request goes wire > apis > answers > one of the desks (`records`, `catalogue`, `coordination`,
`membership`), which ask what the broker keeps: `topics` with a `log` per partition, `transactions`, `groups`.
`tests/contract/broker` runs the same conversations with this broker and with a real Kafka.
"""
