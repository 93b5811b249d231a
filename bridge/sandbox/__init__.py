"""Stand-ins for the API server and for Kafka, in this process, on real sockets. They know nothing of the bridge."""
