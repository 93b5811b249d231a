"""The same tests against the sandbox and the real servers: what differs is mended in the sandbox."""
