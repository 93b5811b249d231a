"""Mirrors `bridge/config/`: one file per module. `reading` is how they all read a text."""
