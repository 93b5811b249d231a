"""Real servers for tests, without containers: kube-apiserver with etcd, and Kafka, on free loopback ports.

`python -m tests.servers.build` builds them once into a cache outside git; `python -m tests.servers` starts a pair to
play with. Whatever is started dies with the process that started it, also when that is killed.
"""
