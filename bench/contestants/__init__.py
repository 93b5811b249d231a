"""Who takes part: each file builds one and starts it as a process of its own, at its best fair settings."""
