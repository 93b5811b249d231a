"""How fast it is, measured beside everything else that carries Kubernetes' changes to Kafka: `python -m bench`.

`workloads/` say what is measured, `contestants/` who takes part, `peers/` are sources of contestants, `firehose/` is
an API server as fast as it is read. `proc` and `topics` read figures, `tables` and `report` tell them. The servers
are those of the tests.
"""
