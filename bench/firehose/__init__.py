"""A stand-in for an API server that costs next to nothing: lists, discovery, and a watch as fast as it is read.

A process of its own. `changes` are written to a file before a run, and the kernel sends them from there.
"""
