# syntax=docker/dockerfile:1
# Two stages: one that may use the network and build, one that holds only what runs.
# Debian, not Alpine: aiokafka has no wheels for musl, and its slow fallback would come in silently.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build

WORKDIR /src
RUN python -m venv /opt/build && python -m venv /opt/event-bridge

# The locked dependencies first: this layer lasts until a lock file changes. Wheels only: nothing is compiled.
COPY requirements.lock requirements-build.lock ./
RUN /opt/build/bin/pip install --no-cache-dir --require-hashes --only-binary=:all: -r requirements-build.lock
RUN /opt/event-bridge/bin/pip install --no-cache-dir --require-hashes --only-binary=:all: -r requirements.lock

# The bridge itself, as a wheel.
COPY pyproject.toml README.md LICENSE ./
COPY bridge bridge
RUN /opt/build/bin/hatchling build -t wheel -d /wheels
RUN /opt/event-bridge/bin/pip install --no-cache-dir --no-index --no-deps /wheels/*.whl

# Without its C codec aiokafka works too, ten times slower and without a word: then there shall be no image.
RUN /opt/event-bridge/bin/python -c "import aiokafka.record._crecords.default_records"
RUN /opt/event-bridge/bin/pip uninstall --yes pip

FROM python:${PYTHON}-slim

ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="kube-event-bridge" \
      org.opencontainers.image.description="Watches Kubernetes resources and publishes every change to Apache Kafka: exactly once, in order, gaps announced." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"

COPY --from=build /opt/event-bridge /opt/event-bridge

# Never set PYTHONOPTIMIZE: assertions guard the bridge's invariants. Bytecode was written at build; the root file
# system may be read-only.
ENV PATH=/opt/event-bridge/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    EVENT_BRIDGE_CONFIG=/etc/event-bridge/bridge.yaml

USER 65532:65532
WORKDIR /

ENTRYPOINT ["event-bridge"]
CMD ["run"]
