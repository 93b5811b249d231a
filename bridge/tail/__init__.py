"""What `event-bridge tail` shows and checks of the records of topics.

Reading order: fields (what a record must have by itself), grammar (what may follow what), difference (what changed in
an object), reading (records in, tellings out), lines (how one looks), since (where to begin), follow (Kafka around it).
"""
