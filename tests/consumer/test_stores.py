import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.consumer.intake import Intake
from bridge.consumer.state import LOST, Chapter, Held, Log, Scope, Standing, Store, StoreFault
from bridge.consumer.stores.memory import MemoryStore
from bridge.consumer.stores.sqlite import SqliteStore
from tests.consumer.told import change, entries, restarted, synced

LOG = Log("topic", 0)
SCOPE = Scope("topic", 0, "pods")
OTHERS = [Scope("topic", 1, "pods"), Scope("topic", 0, "web"), Scope("other", 0, "pods")]


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "state.db")
    yield made
    made.close()


def held(epoch: int, name: str = "x") -> Held:
    return Held(epoch, "7", f'{{"metadata":{{"name":"{name}","uid":"u-{name}"}}}}'.encode())


def test_a_sweep_takes_what_is_older_of_its_scope_alone(store: Store) -> None:
    """The one statement that deletes more than it names."""
    for scope in (SCOPE, *OTHERS):
        store.put(scope, "pods/a/old", held(9))
    store.put(SCOPE, "nodes/older", held(1))
    store.put(SCOPE, "pods/a/new", held(10))

    assert store.sweep(SCOPE, 10) == ["nodes/older", "pods/a/old"]
    assert sorted((scope, key) for scope, key, _ in store.objects()) == sorted(
        [(SCOPE, "pods/a/new"), *((scope, "pods/a/old") for scope in OTHERS)]
    )


def test_what_is_put_is_there_once_and_whole(store: Store) -> None:
    first, second = held(9), Held(10, "8", '{"text":"Grüße \\u0000 🚢"}'.encode(), 2_000_000)

    store.put(SCOPE, "pods/a/x", first)
    store.put(SCOPE, "pods/a/x", second)

    assert list(store.objects()) == [(SCOPE, "pods/a/x", second)]
    assert (store.count(SCOPE, 9), store.count(SCOPE, 10)) == (0, 1)


def test_a_drop_says_whether_there_was_something(store: Store) -> None:
    store.put(SCOPE, "pods/a/x", held(9))

    assert [store.drop(SCOPE, "pods/a/x"), store.drop(SCOPE, "pods/a/x"), store.drop(SCOPE, "nodes/n")] == [
        True,
        False,
        False,
    ]


def test_chapters_and_offsets_are_kept(store: Store) -> None:
    chapter = Chapter(10, Standing.WHOLE, "77", "2026-11-23T08:30:00.123Z")

    store.turn(SCOPE, Chapter(9, Standing.RELISTING))
    store.turn(SCOPE, chapter)
    store.advance(LOG, 5)
    store.advance(Log("topic", 1), 7)

    assert (store.chapter(SCOPE), store.chapter(OTHERS[0])) == (chapter, None)
    assert store.chapters() == {SCOPE: chapter}
    assert (store.offset(LOG), store.offset(Log("other", 0))) == (5, None)
    assert store.logs() == [LOG, Log("topic", 1)]


def test_lost_records_leave_objects_to_the_next_sweep(store: Store) -> None:
    """They are served on, for they may well be there; but nothing that is not told of again stays for ever."""
    Intake(store).take(LOG, entries(restarted(10), change("LISTED", 10, "x", 1), synced(10, 5, 1)))

    store.lose(LOG)

    assert store.offset(LOG) is None
    assert [held.epoch for _, _, held in store.objects()] == [LOST]
    Intake(store).take(LOG, entries(restarted(10), change("LISTED", 10, "y", 2), synced(10, 9, 1), begin=40))
    assert [key for _, key, _ in store.objects()] == ["pods/a/y"]
    assert store.chapters()[SCOPE].standing is Standing.WHOLE


def test_a_partition_that_is_no_more_leaves_nothing(store: Store) -> None:
    """A topic made anew with fewer partitions: no marker will ever come to sweep the others."""
    for scope in (SCOPE, *OTHERS):
        store.put(scope, "pods/a/x", held(9))
        store.turn(scope, Chapter(9, Standing.WHOLE))
        store.advance(Log(*scope[:2]), 5)

    store.forget(LOG)

    left = {Scope("topic", 1, "pods"), Scope("other", 0, "pods")}
    assert {scope for scope, _, _ in store.objects()} == left
    assert set(store.chapters()) == left
    assert store.logs() == [Log("other", 0), Log("topic", 1)]


def test_the_file_can_be_asked_by_anything(tmp_path: Path) -> None:
    """A table per resource, the object as JSON: that is what people want the file for."""
    store = SqliteStore(tmp_path / "state.db")
    store.put(SCOPE, "deployments.apps/shop/cart", held(9, "cart"))
    store.put(SCOPE, "nodes/n1", held(9, "n1"))

    with sqlite3.connect(tmp_path / "state.db") as reader:
        query = "SELECT namespace, name, uid, version, json_extract(object, '$.metadata.name') FROM "
        deployments = reader.execute(query + '"deployments.apps"').fetchall()
        nodes = reader.execute(query + "nodes").fetchall()
    reader.close()

    assert deployments == [("shop", "cart", "u-cart", "7", "cart")]
    assert nodes == [("", "n1", "u-n1", "7", "n1")]
    assert store.tally() == {"deployments.apps": 1, "nodes": 1}
    store.close()


def test_no_resource_gets_at_the_tables_of_others(tmp_path: Path) -> None:
    """Whoever can write into the topic names the tables, and neither ours nor SQLite's are among them."""
    keys = ["_offsets/a", "sqlite_master/a", 'a"b/a', "Pods/d/a", "pods/d/a", "po\0ds/d/a", "100%/a", "é/d/a"]
    for key in keys:
        store = SqliteStore(tmp_path / "state.db")  # each knows of the tables before only from the file
        store.put(SCOPE, key, held(9))
        store.close()

    store = SqliteStore(tmp_path / "state.db")

    assert sorted(key for _, key, _ in store.objects()) == sorted(keys)
    assert store.tally() == {key.partition("/")[0]: 1 for key in sorted(keys)}
    assert [store.drop(SCOPE, key) for key in keys] == [True] * len(keys)
    assert store.logs() == []
    store.close()


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """Also the table that was made in it is gone, and made again by the next."""
    store = SqliteStore(tmp_path / "state.db")

    def put(name: str, *, fails: bool) -> None:
        with store.transaction():
            store.put(SCOPE, f"pods/a/{name}", held(9))
            if fails:
                raise RuntimeError

    with pytest.raises(RuntimeError):
        put("x", fails=True)
    put("y", fails=False)

    assert [key for _, key, _ in store.objects()] == ["pods/a/y"]
    store.close()


def test_a_killed_process_leaves_whole_batches(tmp_path: Path) -> None:
    """SIGKILL at any moment: the offset says exactly which records the objects are of."""
    code = """
import sys
from pathlib import Path
from bridge.consumer.intake import Intake
from bridge.consumer.state import Log
from bridge.consumer.stores.sqlite import SqliteStore
from tests.consumer.told import change, entries, restarted
intake = Intake(SqliteStore(Path(sys.argv[1])))
intake.take(Log("topic", 0), entries(restarted(10)))
for n in range(1, 1_000_000):
    intake.take(Log("topic", 0), entries(change("LISTED", 10, str(n), n), begin=n))
    print(n, flush=True)
"""
    for lives in (1, 50, 300):
        path = tmp_path / f"{lives}.db"
        with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            told = [process.stdout.readline() for _ in range(lives)]
            process.send_signal(signal.SIGKILL)

        store = SqliteStore(path)
        offset = store.offset(LOG)
        assert offset is not None
        assert offset > int(told[-1])
        assert sorted(int(key.rpartition("/")[2]) for _, key, _ in store.objects()) == list(range(1, offset))
        store.close()


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path) -> None:
    """The words of SQLite, what is left, and the mend."""
    store = SqliteStore(tmp_path / "state.db")
    Intake(store).take(LOG, entries(restarted(10), change("LISTED", 10, "x", 1)))
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    full = (tmp_path / "state.db-wal").stat().st_size + 100_000
    batch = entries(*[change("LISTED", 10, f"y{n}", n) for n in range(2, 2000)], begin=2)

    resource.setrlimit(resource.RLIMIT_FSIZE, (full, limit[1]))
    try:
        with pytest.raises(StoreFault, match="What was committed before is whole"):
            Intake(store).take(LOG, batch)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)

    assert (store.offset(LOG), [key for _, key, _ in store.objects()]) == (2, ["pods/a/x"])
    Intake(store).take(LOG, batch)
    assert (store.offset(LOG), store.tally()) == (2000, {"pods": 1999})
    store.close()


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    """A typing error in --db must not write into somebody's browser history."""
    foreign, text, newer = tmp_path / "foreign.db", tmp_path / "notes.txt", tmp_path / "newer.db"
    with sqlite3.connect(foreign) as other:
        other.execute("CREATE TABLE history (url TEXT)")
    other.close()
    text.write_text("not a database, but long enough to be taken for one\n" * 100)
    SqliteStore(newer).close()
    with sqlite3.connect(newer) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    before = [file.read_bytes() for file in (foreign, text)]

    with pytest.raises(StoreFault, match=r"foreign\.db is the database of another program"):
        SqliteStore(foreign)
    with pytest.raises(StoreFault, match=r"cannot use .*notes\.txt: file is not a database"):
        SqliteStore(text)
    with pytest.raises(StoreFault, match=r"newer\.db is of layout 99, this version writes 1"):
        SqliteStore(newer)
    with pytest.raises(StoreFault, match=r"cannot use .*nowhere/state\.db: unable to open"):
        SqliteStore(tmp_path / "nowhere" / "state.db")

    assert [file.read_bytes() for file in (foreign, text)] == before


def test_a_broken_file_is_told_with_the_mend(tmp_path: Path) -> None:
    """It holds nothing that the topic does not: nobody needs to repair it."""
    path = tmp_path / "state.db"
    store = SqliteStore(path)
    Intake(store).take(LOG, entries(restarted(10), *[change("LISTED", 10, f"y{n}", n) for n in range(1, 500)]))
    store.close()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))

    with pytest.raises(StoreFault, match=r"malformed\. Delete it, or name another file: it is filled from the topic"):
        list(SqliteStore(path).objects())
