"""The firehose's doors: `/bench/...` for the benchmark, everything else for the contestants.

A run: the benchmark loads changes, starts a contestant, sees it list and open its watch, and only then says go.
Threads, one for each connection: all of them wait in the kernel nearly all the time.
"""

import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from bench.firehose.changes import FIRST
from bench.firehose.documents import bookmark, document, missing
from bench.firehose.prepared import Prepared

BOOKMARKS = 60.0
"""Seconds between bookmarks on a watch with nothing to say, as an API server has them."""
SLICE = 1 << 20
"""Bytes that the kernel is asked to send at once."""


class State:
    """Shared by all connections. *sent* is how many changes somebody has been sent: the version of a list."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.lock = threading.Lock()
        self.prepared: Prepared | None = None
        self.reset()

    def reset(self) -> None:
        """A new run of the same changes."""
        self.go = threading.Event()
        self.sent = 0
        self.requests: list[str] = []
        self.watching = 0
        self.began = 0.0
        self.ended = 0.0

    @property
    def changes(self) -> Prepared:
        assert self.prepared is not None, "nothing is loaded"
        return self.prepared

    def load(self, size: int, count: int) -> None:
        """Kept from run to run while the same is asked for."""
        if self.prepared is None or (self.prepared.size, self.prepared.count) != (size, count):
            self.prepared = Prepared(size, count, self.directory)
        self.reset()

    def report(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "watching": self.watching,
            "sent": self.sent,
            "began": self.began,
            "ended": self.ended,
        }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: ClassVar[State]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        match self.path:
            case "/bench/load":
                self.state.load(**json.loads(body))
            case "/bench/go":
                self.state.go.set()
            case _:
                self._answer(missing(self.path), 404)
                return
        self._answer({})

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if parts.path == "/bench/state":
            self._answer(self.state.report())
            return
        self.state.requests.append(self.path)
        if parts.path != "/api/v1/pods":
            found = document(parts.path)
            self._answer(found or missing(parts.path), 200 if found else 404)
        elif query.get("watch") in ("1", "true", "True"):
            self._watch(query)
        else:
            self._list(query)

    def _list(self, query: dict[str, str]) -> None:
        """In pages, if asked for; the token says at which version and from which object on."""
        sent, start = (int(part) for part in query.get("continue", f"{self.state.sent}.0").split("."))
        objects = self.state.changes.changes.objects(sent)
        stop = start + int(query.get("limit") or 0) if query.get("limit", "0") != "0" else len(objects)
        metadata: dict[str, Any] = {"resourceVersion": str(FIRST + sent - 1)}
        if stop < len(objects):
            metadata |= {"continue": f"{sent}.{stop}", "remainingItemCount": len(objects) - stop}
        head = f'{{"kind":"PodList","apiVersion":"v1","metadata":{json.dumps(metadata)},"items":['
        self._send(head.encode() + b",".join(objects[start:stop]) + b"]}")

    def _watch(self, query: dict[str, str]) -> None:
        """From a version on; with none, from now; or the initial objects first, as a WatchList."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        start = self.state.sent
        if query.get("sendInitialEvents") == "true":
            self._initial(start)
        elif query.get("resourceVersion", "0") not in ("", "0"):
            start = int(query["resourceVersion"]) - FIRST + 1
        state = self.state
        state.watching += 1
        try:
            self._stream(state, start, query.get("allowWatchBookmarks") == "true")
        except OSError:  # the client has gone
            self.close_connection = True
        finally:
            state.watching -= 1

    def _initial(self, sent: int) -> None:
        for body in self.state.changes.changes.objects(sent):
            kind = b'{"kind":"Pod"'
            assert body.startswith(kind)
            self._chunk(b'{"type":"ADDED","object":' + body + b"}\n")
        self._chunk(_line(bookmark(FIRST + sent - 1, ends_initial=True)))

    def _stream(self, state: State, start: int, bookmarks: bool) -> None:
        """What is prepared, then bookmarks, until the client goes."""
        while not state.go.wait(BOOKMARKS):
            self._silence(start, bookmarks)
        state.began = state.began or time.monotonic()
        prepared = state.changes
        at, end = prepared.offset(start), prepared.offset(prepared.count)
        with prepared.path.open("rb") as file:
            while at < end:
                at += os.sendfile(self.connection.fileno(), file.fileno(), at, min(SLICE, end - at))
                state.sent = max(state.sent, prepared.sent(at))
        state.ended = time.monotonic()
        while True:
            self.connection.settimeout(BOOKMARKS)
            try:
                if not self.connection.recv(1):
                    raise ConnectionResetError
            except TimeoutError:
                self._silence(prepared.count, bookmarks)

    def _silence(self, start: int, bookmarks: bool) -> None:
        if bookmarks:
            self._chunk(_line(bookmark(FIRST + start - 1, ends_initial=False)))

    def _chunk(self, line: bytes) -> None:
        self.connection.sendall(b"%x\r\n%b\r\n" % (len(line), line))

    def _answer(self, body: dict[str, Any], status: int = 200) -> None:
        self._send(json.dumps(body).encode(), status)

    def _send(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Requests are counted, not logged."""


def _line(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"


def serve(port: int, directory: Path) -> None:
    """Until killed. The changes lie in *directory*."""
    Handler.state = State(directory)
    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        server.serve_forever()
