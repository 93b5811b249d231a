"""Protobuf: what kubectl sends is read, and whatever is not known to the last byte is refused."""

import pytest

from bridge.sandbox.apiserver.protobuf import decoded
from bridge.sandbox.apiserver.refusals import RefusalError

CREATE_CONFIGMAP = (
    b'k8s\x00\n\x0f\n\x02v1\x12\tConfigMap\x12\x1b\n\x11\n\x01a\x12\x00\x1a\x00"\x00*\x002\x008\x00B\x00\x12\x06\n\x01k'
    b'\x12\x01v\x1a\x00"\x00'
)
"""`kubectl create configmap a --from-literal=k=v`, as kubectl 1.32 sent it."""


def test_what_kubectl_sends_is_read() -> None:
    assert decoded(CREATE_CONFIGMAP) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a"},
        "data": {"k": "v"},
    }


@pytest.mark.parametrize("length", range(1, len(CREATE_CONFIGMAP) - 4))
def test_what_is_cut_is_refused(length: int) -> None:
    with pytest.raises(RefusalError, match="415"):
        decoded(CREATE_CONFIGMAP[:length])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        CREATE_CONFIGMAP.replace(b"ConfigMap", b"Elephants"),
        CREATE_CONFIGMAP.replace(b"B\x00", b"\x7a\x00"),  # field 15 of the metadata
        CREATE_CONFIGMAP.replace(b"8\x00", b"9\x00"),  # a wire type that is not used
        CREATE_CONFIGMAP.replace(b"\n\x01a", b"\n\x01\xff"),  # no UTF-8
    ],
)
def test_what_is_not_known_is_refused(data: bytes) -> None:
    """A field that is dropped without a word would be worse than no answer."""
    with pytest.raises(RefusalError, match="415"):
        decoded(data)
