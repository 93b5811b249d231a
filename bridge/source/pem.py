"""Certificates and keys, as kubeconfigs have them."""

import errno
from pathlib import Path

from msgspec import Struct


class Pem(Struct, frozen=True):
    """Certificates or a key: a file that may be renewed at any time, or data."""

    path: str = ""
    data: bytes = b""

    def read(self) -> bytes:
        """Raises OSError, also where the file is empty: it is being written, and is not to be taken for none."""
        data = Path(self.path).read_bytes() if self.path else self.data
        if self.path and not data:
            raise OSError(errno.ENODATA, "it is empty", self.path)
        return data
