# One word per act. `make help` lists them; nothing needs to be installed beforehand but Python 3.11+
# (and Go, Java 17 and Maven for the tests on real servers).
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help install check format unit integration test chaos bench bench-quick servers demo demo-real docs picture outage schema vectors lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */\1\t/' | expand -t 14

install: $(READY)  ## a virtual environment with the locked dependencies

$(READY): requirements-dev.lock pyproject.toml
	@echo "== installing the locked dependencies into $(VENV)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

check: $(READY)  ## lint, format, types, import contracts, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/validate-pyproject pyproject.toml

format: $(READY)  ## mend what the formatter and the linter can mend
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

unit: $(READY)  ## the tests that need no servers: seconds
	$(BIN)/pytest -m "not integration"

integration: $(READY)  ## the tests on the real servers: minutes (the first build of the servers: 5 to 10 more)
	$(BIN)/python -m tests.servers.build
	$(BIN)/python -m tests.tools.build
	$(BIN)/pytest -m integration

test: check  ## everything: check, then all tests in one run, the quick ones first
	@echo "== the test servers: built once, then taken from the cache"
	$(BIN)/python -m tests.servers.build
	@echo "== the browser for the tests of the status page: $$($(BIN)/python -m tests.web.browser)"
	@echo "== all tests: unit tests in seconds, then integration tests on real servers"
	$(BIN)/pytest

chaos: $(READY)  ## three replicas, and everything goes wrong (CHAOS_SECONDS=900: longer; CHAOS_SEED=n: again; CHAOS_DELIVERY=at-least-once)
	$(BIN)/python -m tests.servers.build
	$(BIN)/pytest -s tests/integration/test_chaos.py

bench: $(READY)  ## every workload with every peer: two to three hours (the first build of the peers: 15 minutes more)
	$(BIN)/python -m bench

bench-quick: $(READY)  ## the stream alone, with the peers that are there: under three minutes
	$(BIN)/python -m bench --quick

servers: $(READY)  ## a real API server and a real Kafka to play with, until Ctrl-C
	@$(BIN)/python -m tests.servers

docs: $(READY)  ## the documents as a site, in site/ (look at it: python3 -m http.server -d site)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

demo: $(READY)  ## see it in a minute, with Python alone: changes, two kills, a gap, the proof
	@$(BIN)/event-bridge demo

demo-real: $(READY)  ## the same on a real kube-apiserver and a real Kafka
	@$(BIN)/python -m tests.demo

picture: $(READY)  ## draw README's picture of the demo anew
	@$(BIN)/event-bridge demo --svg docs/demo.svg

outage: $(READY)  ## record an outage for the tests of the alerts anew: 21 minutes
	$(BIN)/python -m tests.alerts.record

schema: $(READY)  ## write config/schema.json, docs/config.md, docs/telemetry.md and protocol/records.schema.json from the types
	$(BIN)/python -m bridge.config
	$(BIN)/python -m bridge.manual
	$(BIN)/python -m bridge.consumer

vectors: $(READY)  ## write protocol/vectors/*.json from protocol/vectors.txt
	$(BIN)/python -m tests.consumer.vectors

lock: $(READY)  ## renew the lock files from pyproject.toml
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra fast -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra fast --group dev -o requirements-dev.lock pyproject.toml
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group build -c requirements-dev.lock -o requirements-build.lock

clean:  ## forget the environment and the caches of this checkout
	rm -rf $(VENV) site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
