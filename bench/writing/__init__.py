"""Changes made on a real API server, by a process of its own: at a steady rate, or as many objects as fast as it takes.

Every change that was acknowledged is told with its version and the moment, on the machine's monotonic clock.
"""
