"""What judges our manifests and alerts: the real kustomize, the real promtool, and CRDs of others. Built once."""
