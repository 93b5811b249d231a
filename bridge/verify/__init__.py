"""What `event-bridge verify` finds out: does what the topics say equal what the cluster holds now.

Law: it changes nothing, and a running bridge does not notice: no producer, no group, metadata of the objects only.
Reading order: `compare` (the rules), `report` (the words), `replay` (the topics), `run`.
"""
