"""What `event-bridge status` finds out, from Kafka alone: who runs what, and how far it is.

Read `report` (the words), then `run` (what is asked).
"""
