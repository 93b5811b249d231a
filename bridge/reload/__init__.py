"""The config file while the bridge runs: looked at, judged, and taken up."""
