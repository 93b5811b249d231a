"""Everything that goes wrong at once, from a seed: the plan, the replicas, the network between them and the servers."""
