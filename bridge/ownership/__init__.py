"""Who runs which streams: replicas form a consumer group on the checkpoint topic, a partition's owner runs its streams.

Read in this order: `shares` (the assignor), `words` (what members tell each other), `claims` (what is ours, and how
long that is proven), `group` (the broker's requests), `member` (a life in the group), `seat` (a stream's
view of it).
"""
