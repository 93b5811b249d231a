"""Where a consumer's state lives: memory, as long as the process; sqlite, so that a killed one goes on exactly."""
