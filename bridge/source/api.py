"""What the reader asks of an API server, for one selection. HTTP becomes replies, and every failure a `Fault`."""

import asyncio
import contextlib

from msgspec import structs

from bridge.model.position import ResourceVersion, is_resumable
from bridge.model.resource import Selection
from bridge.retry import between
from bridge.source import discovery
from bridge.source.answers import BODY, ERROR_CAP, FAILURES, said
from bridge.source.connections import Params
from bridge.source.faults import Fault, Kind, Phase
from bridge.source.frames import Bookmark, Frame, Page, decode, decode_page
from bridge.source.lines import LINE_CAP
from bridge.source.openwatch import OpenWatch
from bridge.source.session import JSON, Session, cut
from bridge.source.states import Frames, Newest, Opened, Quiet

LIMIT = "500"
"""Objects in a page, as client-go and kube-rs ask (pager.go, params.rs)."""
WATCH = (300.0, 600.0)
"""Seconds that a watch is asked to last: random, so that many watches do not end together (client-go, reflector.go)."""
ENDLESS = WATCH[0]
"""Seconds of waiting for a snapshot to go on. Of a resource that changes often the same servers are never silent; and
what takes longer is ended by the watch's own time now and then. To leave it unread is no waiting."""
FAMILIAR = 60.0
"""Seconds that a cluster is taken for the one that it was. A snapshot or a verification asks in any case."""
LOOK = "2000"
"""Objects in a page of a verification, which are metadata alone: with a page a second, half a million before the
token expires."""
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"


class Api:
    """Owns the open watch, at most one, and whether this resource was ever seen to get bookmarks.

    That is learnt for the resource and not for a connection: a server that was put back would be silent on each.
    *cluster_uid* is whose objects are known; another one that answers is a fault. Empty: whoever it is.
    """

    def __init__(self, session: Session, selection: Selection, cluster_uid: str = "") -> None:
        self._session = session
        self._path = selection.path
        self._resource = selection.resource
        selectors = [("labelSelector", selection.label_selector), ("fieldSelector", selection.field_selector)]
        self._selectors: Params = [(name, value) for name, value in selectors if value]
        self._stream: OpenWatch | None = None
        self._bookmarked = False
        self._cluster_uid = cluster_uid
        self._seen = asyncio.get_running_loop().time()
        """When it was last known to be that cluster."""

    async def newest(self) -> Newest | Fault:
        """The newest version there is: a read that the server may not answer from an old cache."""
        body = await self._session.get(self._path, [("limit", "1"), *self._selectors], Phase.PROBE, METADATA)
        page = self._page(body, Phase.PROBE)
        if isinstance(page, Fault):
            return await self._confirmed(page)
        if asyncio.get_running_loop().time() - self._seen > FAMILIAR and (fault := await self._strange(Phase.PROBE)):
            return fault
        return Newest(page.version)

    async def page(self, token: str, whole: bool) -> Page | Fault:
        """The page of a LIST that *token* continues (empty: the first), or all of it in one piece."""
        if not token and (fault := await self._strange(Phase.LIST)):
            return fault
        return await self._listed(token, "" if whole else LIMIT, JSON)

    async def look(self, token: str) -> Page | Fault:
        """A page of a verification's LIST, of the cluster whose objects are known."""
        if not token and (fault := await self._strange(Phase.PROBE)):
            return fault
        return await self._listed(token, LOOK, METADATA)

    async def metadata(self, token: str, whole: bool) -> Page | Fault:
        """As `page`, of the objects' metadata alone, where the server can leave out the rest."""
        return await self._listed(token, "" if whole else LIMIT, METADATA)

    async def _listed(self, token: str, limit: str, accept: str) -> Page | Fault:
        phase = Phase.PAGE if token else Phase.LIST
        params: Params = [("limit", limit)] if limit else []
        if token:
            params.append(("continue", token))
        page = self._page(await self._session.get(self._path, [*params, *self._selectors], phase, accept), phase)
        return await self._confirmed(page) if isinstance(page, Fault) else page

    async def open(self, version: ResourceVersion) -> Opened | Fault:
        """A watch from *version* on."""
        return await self._open([("resourceVersion", version)], Phase.OPEN, Phase.STREAM)

    async def open_list(self) -> Opened | Fault:
        """A WatchList: the snapshot as a stream, and the changes after it."""
        if fault := await self._strange(Phase.INITIAL):
            return fault
        initial = [("sendInitialEvents", "true"), ("resourceVersionMatch", "NotOlderThan"), ("resourceVersion", "")]
        return await self._open(initial, Phase.INITIAL, Phase.INITIAL)

    async def frames(self, patience: float | None = None) -> Frames | Quiet | Fault:
        """What the open stream says next, never nothing: that is `Quiet`, after *patience* (seconds).

        A fault closes it. Without patience, or where it lasts longer than that of the heartbeat, silence is one.
        """
        stream = self._stream
        assert stream is not None, "a watch is open"
        frames = await self._waited(stream, patience)
        if isinstance(frames, Fault):
            self.close()
        if isinstance(frames, Fault | Quiet):
            return frames
        for frame in frames:
            if type(frame) is Bookmark:
                if frame.ends_initial and is_resumable(frame.version):
                    stream.phase = Phase.STREAM
                elif stream.phase is Phase.STREAM:
                    self._bookmarked = True
        stream.frames += len(frames)
        return Frames(frames)

    @property
    def rests(self) -> bool:
        """After what was read last nothing comes for a while, whatever the server says."""
        return self._stream is not None and self._stream.rests

    async def reauthenticate(self) -> None:
        """Forget the credentials that were refused: the next request reads them anew."""
        self._session.reauthenticate()

    def close(self) -> None:
        """Cut the stream. Its connection is of no further use: the server would go on sending."""
        if self._stream is not None:
            cut(self._stream.response)
            self._stream = None

    async def _open(self, start: Params, phase: Phase, then: Phase) -> Opened | Fault:
        self.close()
        seconds = int(between(*WATCH))
        wanted = [("watch", "true"), ("allowWatchBookmarks", "true"), ("timeoutSeconds", str(seconds))]
        response = await self._session.stream(self._path, [*wanted, *start, *self._selectors], phase)
        if isinstance(response, Fault):
            return await self._confirmed(response)
        self._stream = OpenWatch(response, then, seconds)
        return Opened()

    async def _strange(self, phase: Phase) -> Fault | None:
        """A fault if another cluster answers than that of the position, or if that could not be found out."""
        known = self._cluster_uid
        if not known:
            return None
        uid = await self._session.cluster_uid()
        if isinstance(uid, Fault):
            return structs.replace(uid, phase=phase)
        if uid and uid != known:
            return Fault(phase, Kind.STRANGER, message=f"cluster uid was {known}, is {uid}")
        self._seen = asyncio.get_running_loop().time()
        return None

    async def _waited(self, stream: OpenWatch, quiet: float | None) -> list[Frame] | Quiet | Fault:
        """What is read, unless this is a snapshot that has no end."""
        if stream.phase is Phase.INITIAL and stream.waited > ENDLESS:
            return self._ended(stream, Kind.ENDLESS, f"a snapshot without an end for {stream.waited:.0f} s")
        since = stream.age
        frames = await self._read(stream, quiet)
        stream.waited += stream.age - since
        return frames

    async def _read(self, stream: OpenWatch, quiet: float | None) -> list[Frame] | Quiet | Fault:
        """Read until a line is whole. A part of one is a sign of life, empty lines are none: proxies send them."""
        patience = stream.patience(self._bookmarked)
        limit = patience if quiet is None else min(quiet, patience)
        heard = stream.age
        while True:
            lines = await self._lines(stream, limit - (stream.age - heard))
            if isinstance(lines, Quiet) and limit == patience:
                return self._ended(stream, Kind.SILENT, f"nothing heard for {patience:.0f} s")
            if isinstance(lines, Fault | Quiet):
                return lines
            if lines is None:
                return self._document(stream) or self._ended(stream, Kind.END)
            heard = stream.age if stream.lines.held else heard
            if stream.lines.held > LINE_CAP:
                return self._ended(stream, Kind.UNDECODABLE, f"a line of more than {LINE_CAP} bytes")
            if lines:
                frames = decode(lines, self._resource)
                if stream.frames == 0 and lines[0].strip() == b"{":
                    return await self._answered(stream) or frames
                return frames

    async def _lines(self, stream: OpenWatch, patience: float) -> list[bytes] | Quiet | Fault | None:
        """One read, under what is left of the heartbeat: the deadline stands around this alone."""
        try:
            async with asyncio.timeout(patience):
                return await stream.read()
        except TimeoutError:
            return Quiet()
        except FAILURES as error:
            return self._ended(stream, Kind.NETWORK, self._session.fault(error, stream.phase).message)

    async def _answered(self, stream: OpenWatch) -> Fault | None:
        """What is no watch from its first line on may be one Status, printed over many lines."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BODY):
                while len(stream.document) < ERROR_CAP:
                    lines = await self._lines(stream, BODY)
                    if isinstance(lines, Fault | Quiet) or lines is None:
                        break
        return self._document(stream)

    def _document(self, stream: OpenWatch) -> Fault | None:
        """The Status that came instead of a watch, with status 200 (kubernetes-client/python-base#231)."""
        if stream.frames or (fault := said(stream.document, stream.phase)) is None:
            return None
        return structs.replace(fault, age=stream.age)

    def _ended(self, stream: OpenWatch, kind: Kind, message: str = "") -> Fault:
        return Fault(stream.phase, kind, message=message, frames=stream.frames, age=stream.age)

    def _page(self, body: bytes | Fault, phase: Phase) -> Page | Fault:
        """The page in *body*, or the Status that came with status 200: it reads as a list of nothing."""
        if isinstance(body, Fault):
            return body
        page = decode_page(body, self._resource)
        if isinstance(page, Page) and (page.changes or page.version):
            return page
        if (fault := said(body, phase)) is not None:
            return fault
        return page if isinstance(page, Page) else Fault(phase, Kind.UNDECODABLE, message=page.why)

    async def _confirmed(self, fault: Fault) -> Fault:
        """A 404 may come from a proxy or a server that is starting: discovery says whether the resource is gone."""
        if fault.kind is not Kind.HTTP or fault.status != 404:
            return fault
        return structs.replace(fault, absent=await discovery.exists(self._session, self._resource) is False)
