"""What is served over HTTP: probes, metrics, and the status of every stream, as JSON and as a page."""
