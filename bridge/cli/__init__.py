"""The command line. `root` is the door; then one file per command, and what they share: `file`, and `brokers`.

`file` finds the config file for them, `brokers` takes flags instead of it.
"""
