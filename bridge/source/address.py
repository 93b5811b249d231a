"""The URLs of a kubeconfig, judged before anything is sent. One may hold a login, and then it is not shown."""

import urllib.parse

from msgspec import Struct


class Unfit(Struct, frozen=True):
    """What is wrong with the *field* of a cluster, and the mend."""

    field: str
    what: str
    mend: str


def judge(server: str, proxy: str) -> Unfit | None:
    """None: both can be used; *proxy* may be empty."""
    if "@" in server:
        return Unfit("server", "a URL with a login", "Write https://host:port, and the login under users")
    if not server.startswith(("https://", "http://")) or not _is_url(server):
        return Unfit("server", f"no URL: {server}", "Write https://host:port")
    if not _is_url(proxy):
        return Unfit("proxy-url", "no URL", "Write http://host:port, and special characters of a login as %23")
    scheme = urllib.parse.urlsplit(proxy).scheme
    if scheme not in ("", "http", "https"):
        return Unfit("proxy-url", f"{scheme} proxies are not supported", "Use an http proxy")
    return None


def _is_url(text: str) -> bool:
    """Libraries would quote the part of a password that they take for a port."""
    try:
        parts = urllib.parse.urlsplit(text)
        return parts.port is None or bool(parts.hostname)
    except ValueError:
        return False
