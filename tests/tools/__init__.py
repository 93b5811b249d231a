"""What judges our manifests and alerts: the real kustomize and the real promtool, built once, and the CRDs of others."""
