"""Which servers the tests run on. `go.mod` and `pom.xml` say the same, and a test compares."""

KUBERNETES = "1.37.2"
ETCD = "3.7.3"
KAFKA = "4.3.1"

GO = (1, 26)
"""The `go` line of `go.mod`: an older compiler refuses Kubernetes 1.37 (its own `go.mod` asks for 1.26.0)."""

JAVA = 17
"""The oldest Java on which a Kafka 4 broker runs (KIP-1013)."""
