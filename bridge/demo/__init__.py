"""`event-bridge demo`: a cluster lives, the bridge is killed, the API server forgets, and consumers know all the same.

Reading order: `ledger` (what was really done), `audit` (pure: that against what was told), `reading` (a consumer),
`process` (the bridge, as users run it), `story` (the acts), `picture` and `lines` (how it looks), `run`.
"""
