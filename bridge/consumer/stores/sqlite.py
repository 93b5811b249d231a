"""State in one SQLite file: a table per resource, readable by anything. Objects and offsets change in one transaction.

So a consumer that is killed at any moment goes on exactly where its objects are. Other programs may read all the time.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

from bridge.consumer.state import LOST, Chapter, Held, Log, Scope, Standing, StoreFault
from bridge.model.resource import split_key

OURS = 0x4B454231
"""`PRAGMA application_id` of our files ("KEB1"): nobody else's database is touched."""
LAYOUT = 1
"""`PRAGMA user_version`: a file of another layout is refused, not guessed at."""
PATIENCE = 30.0
"""Seconds to wait for another writer: transactions take milliseconds, a person's VACUUM takes longer."""

_TABLES = """
CREATE TABLE _offsets (topic TEXT, partition INTEGER, offset INTEGER NOT NULL, PRIMARY KEY (topic, partition))
    WITHOUT ROWID;
CREATE TABLE _streams (topic TEXT, partition INTEGER, stream TEXT, epoch INTEGER NOT NULL, standing TEXT NOT NULL,
    version TEXT NOT NULL, time TEXT NOT NULL, PRIMARY KEY (topic, partition, stream)) WITHOUT ROWID;
"""
_RESOURCE = """
CREATE TABLE IF NOT EXISTS {table} (topic TEXT, partition INTEGER, stream TEXT, key TEXT, namespace TEXT NOT NULL,
    name TEXT NOT NULL, uid TEXT AS (json_extract(object, '$.metadata.uid')), version TEXT NOT NULL,
    epoch INTEGER NOT NULL, oversize INTEGER NOT NULL, object TEXT NOT NULL,
    PRIMARY KEY (topic, partition, stream, key))
"""
_IN_LOG = "topic = ? AND partition = ?"
_IN_SCOPE = f"{_IN_LOG} AND stream = ?"


class SqliteStore:
    """Owns the connection. Every method blocks for moments; one thread at a time. Raises `StoreFault` alone."""

    def __init__(self, path: Path) -> None:
        """Opens *path*, or makes it. Of a file that is not ours nothing is changed."""
        self._path = path
        self._tables: set[str] = set()
        try:
            self._sql = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise self._fault(error) from error
        try:
            self._settle()
        except StoreFault:
            self._sql.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._run("BEGIN IMMEDIATE")
        try:
            yield
            self._run("COMMIT")
        except BaseException:
            self._tables.clear()  # what was made in it is gone
            if self._sql.in_transaction:  # a full disk may have ended it already
                self._run("ROLLBACK")
            raise

    def chapter(self, scope: Scope) -> Chapter | None:
        sql = f"SELECT epoch, standing, version, time FROM _streams WHERE {_IN_SCOPE}"  # noqa: S608 - constants
        row = self._run(sql, *scope).fetchone()
        return Chapter(row[0], Standing(row[1]), *row[2:]) if row else None

    def turn(self, scope: Scope, chapter: Chapter) -> None:
        values = (chapter.epoch, chapter.standing.value, chapter.version, chapter.time)
        self._run("REPLACE INTO _streams VALUES (?, ?, ?, ?, ?, ?, ?)", *scope, *values)

    def put(self, scope: Scope, key: str, held: Held) -> None:
        resource, namespace, name = split_key(key)
        table = _table(resource)
        if table not in self._tables:
            self._run(_RESOURCE.format(table=table))
            self._tables.add(table)
        columns = "topic, partition, stream, key, namespace, name, version, epoch, oversize, object"
        values = (namespace, name, held.version, held.epoch, held.oversize, held.body.decode())
        self._run(f"REPLACE INTO {table} ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *scope, key, *values)  # noqa: S608

    def drop(self, scope: Scope, key: str) -> bool:
        table = _table(split_key(key)[0])
        if table not in self._tables and table not in self._resources():
            return False
        return self._run(f"DELETE FROM {table} WHERE {_IN_SCOPE} AND key = ?", *scope, key).rowcount > 0  # noqa: S608

    def count(self, scope: Scope, epoch: int) -> int:
        where = f"{_IN_SCOPE} AND epoch = ?"
        return sum(
            self._run(f"SELECT count(*) FROM {table} WHERE {where}", *scope, epoch).fetchone()[0]  # noqa: S608
            for table in self._resources()
        )

    def sweep(self, scope: Scope, epoch: int) -> list[str]:
        gone: list[str] = []
        where = f"{_IN_SCOPE} AND epoch < ?"
        for table in self._resources():
            rows = self._run(f"SELECT key FROM {table} WHERE {where}", *scope, epoch)  # noqa: S608
            gone += [key for (key,) in rows]
            self._run(f"DELETE FROM {table} WHERE {where}", *scope, epoch)  # noqa: S608
        return sorted(gone)

    def offset(self, log: Log) -> int | None:
        row = self._run(f"SELECT offset FROM _offsets WHERE {_IN_LOG}", *log).fetchone()  # noqa: S608
        return int(row[0]) if row else None

    def advance(self, log: Log, offset: int) -> None:
        self._run("REPLACE INTO _offsets VALUES (?, ?, ?)", *log, offset)

    def lose(self, log: Log) -> None:
        self._run(f"DELETE FROM _offsets WHERE {_IN_LOG}", *log)  # noqa: S608
        standing = f"standing = '{Standing.JOINED.value}', version = '', time = ''"
        self._run(f"UPDATE _streams SET {standing} WHERE {_IN_LOG}", *log)  # noqa: S608
        for table in self._resources():
            self._run(f"UPDATE {table} SET epoch = ? WHERE {_IN_LOG}", LOST, *log)  # noqa: S608

    def forget(self, log: Log) -> None:
        for table in ("_offsets", "_streams", *self._resources()):
            self._run(f"DELETE FROM {table} WHERE {_IN_LOG}", *log)  # noqa: S608

    def logs(self) -> list[Log]:
        return [Log(*row) for row in self._run("SELECT topic, partition FROM _offsets ORDER BY 1, 2")]

    def position(self) -> int:
        """How many records are behind us, all in all: it grows with every batch."""
        return int(self._run("SELECT total(offset) FROM _offsets").fetchone()[0])

    def chapters(self) -> dict[Scope, Chapter]:
        rows = self._run("SELECT topic, partition, stream, epoch, standing, version, time FROM _streams")
        return {Scope(*row[:3]): Chapter(row[3], Standing(row[4]), *row[5:]) for row in rows}

    def objects(self) -> Iterator[tuple[Scope, str, Held]]:
        columns = "topic, partition, stream, key, epoch, version, object, oversize"
        for table in self._resources():
            for row in self._run(f"SELECT {columns} FROM {table}"):  # noqa: S608
                yield Scope(*row[:3]), row[3], Held(row[4], row[5], row[6].encode(), row[7])

    def tally(self) -> dict[str, int]:
        """Resource -> how many objects."""
        counts = {
            unquote(table.strip('"')): self._run(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for table in self._resources()
        }
        return dict(sorted(counts.items()))

    def close(self) -> None:
        self._sql.close()

    def _resources(self) -> list[str]:
        """The tables of objects, quoted. Asked anew: another process may share the file."""
        names = self._run("SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 1) <> '_'")
        return [f'"{name}"' for (name,) in names.fetchall()]

    def _settle(self) -> None:
        """Ours, or new. WAL: readers never wait. NORMAL: a power cut may cost the last commits, offsets and all."""
        application, layout, tables = self._run(  # in one: another process may be making it just now
            "SELECT (SELECT application_id FROM pragma_application_id),"
            " (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_master)"
        ).fetchone()
        if application != OURS and (application or tables):
            raise StoreFault(f"{self._path} is the database of another program. Name another file")
        if application == OURS and layout != LAYOUT:
            what = f"{self._path} is of layout {layout}, this version writes {LAYOUT}"
            raise StoreFault(f"{what}. Name another file: it is filled from the topic")
        self._run("PRAGMA journal_mode = WAL")
        self._run("PRAGMA synchronous = NORMAL")
        with self.transaction():
            if self._run("PRAGMA application_id").fetchone()[0] != OURS:  # nobody was quicker
                for sql in _TABLES.split(";"):
                    self._run(sql)
                self._run(f"PRAGMA user_version = {LAYOUT}")
                self._run(f"PRAGMA application_id = {OURS}")

    def _run(self, sql: str, *values: object) -> sqlite3.Cursor:
        try:
            return self._sql.execute(sql, values)
        except sqlite3.Error as error:
            raise self._fault(error) from error

    def _fault(self, error: sqlite3.Error) -> StoreFault:
        """SQLite's words for what a person can mend."""
        what = f"cannot use {self._path}: {error}"
        if re.search(r"full|I/O", f"{error}"):
            kept = "What was committed before is whole, state and offsets"
            return StoreFault(f"{what}. {kept}: free space on the disk, and start again")
        if "locked" in f"{error}":
            return StoreFault(f"{what}. Another program writes to it for longer than {PATIENCE:g} s")
        if "malformed" in f"{error}":
            return StoreFault(f"{what}. Delete it, or name another file: it is filled from the topic")
        return StoreFault(f"{what}. Correct the path or the permissions, or name another file")


def _table(resource: str) -> str:
    """Its name, quoted: the resource's own, if Kubernetes may have one of that name.

    Other writers may have others, which could be our tables' names or SQLite's, or differ in upper and lower case only.
    """
    return '"' + re.sub(r'[A-Z_%"\x00-\x1f]', lambda found: f"%{ord(found[0]):02X}", resource) + '"'
