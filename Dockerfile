# syntax=docker/dockerfile:1
# hadolint global ignore=DL3059
# (DL3059, joined RUN lines, is about size; of the first stage only /opt/event-bridge is kept.)
#
# docker build -t kube-event-bridge:0.1.0 .
#
# Two stages: one that may use the network and build, one that holds only what runs: Debian slim, CPython, and
# /opt/event-bridge: the locked distributions and the bridge, 150 MB (kubernetes_asyncio alone 48). No compiler, no pip.
# Debian, not Alpine: aiokafka has no wheels for musl, and its slow fallback would come in silently.
#
# More than one architecture: every wheel of the lock is there for amd64 and arm64, so nothing is compiled on either:
# docker buildx build --platform linux/amd64,linux/arm64 -t registry.example.com/kube-event-bridge:0.1.0 --push .
#
# Pinned: what is installed is, by hashes. The base image is by its name alone, so that a build takes the newest fixes; for
# builds that are the same for ever, pin it, and renew the digest yourself:
# docker buildx imagetools inspect python:3.13-slim
# docker build --build-arg BASE=python:3.13-slim@sha256:... .
ARG BASE=python:3.13-slim

FROM ${BASE} AS build

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

FROM ${BASE}

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
EXPOSE 8080

# For engines without probes; Kubernetes ignores it. Asks /livez where the config file says; needs no curl.
HEALTHCHECK --interval=60s --timeout=10s --start-period=30s CMD ["event-bridge", "live"]

ENTRYPOINT ["event-bridge"]
CMD ["run"]
