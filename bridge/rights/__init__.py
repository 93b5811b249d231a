"""The least rights that a config needs, from the two tables that `rbac`, `acls` and `check` share: logic alone.

Reading order: `meaning` (what a watch's resource and topic are), `kubernetes` and `kafka` (the tables), then how they
are written down: `rbac` and `acls`.
"""
