"""The tests; `tests/servers` holds the real servers that some of them run on."""
