"""The command line. `root` is the door; then one file per command, and `file`, which finds the config file for them."""
