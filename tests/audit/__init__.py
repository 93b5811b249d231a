"""An independent judge of the bridge's promise: it knows the documented protocol, and nothing of the bridge.

Reading order: records (what a topic holds), ledger (what was really done), report (what is said of it); then the
checks: grammar, gaps, keys, followers, completeness; then judge, which runs them all. Only topics does I/O.
"""
