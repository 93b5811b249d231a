"""A cluster to try things on, in this process, on real sockets: for demos without servers and for tests.

It imports nothing of the bridge, and the bridge proper never imports it. What it answers is held against the real
servers by `tests/contract/`.
"""
