"""The alerts, evaluated by promtool: on an outage that was recorded, and on what an outage does not bring."""
