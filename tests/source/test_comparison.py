"""A LIST against the index: what differs, what does not, and how much of it is remembered."""

from bridge.model.position import ResourceVersion
from bridge.source.comparison import ENOUGH, Comparison, Differences, Entry, lasting
from bridge.source.frames import Page
from bridge.source.index import Index
from tests.source.words import added, deleted, listed

V100 = ResourceVersion("100")


def key(name: str) -> str:
    return f"pods/default/{name}"


def entry(version: str, uid: str) -> Entry:
    return Entry(uid, ResourceVersion(version))


def index(*names: str) -> Index:
    """As after a start: uids from Kafka, and no versions."""
    return Index({key(name): f"uid-{name}" for name in names})


def page(*items: str) -> Page:
    return Page([listed(*item.split(":")) for item in items], V100)


def compared(known: Index, *items: str, position: str = "100") -> Differences:
    comparison = Comparison(known, ResourceVersion(position))
    comparison.add(page(*items))
    return comparison.end()


def test_the_same_objects_differ_in_nothing() -> None:
    """The ordinary case, every two minutes for months: it must cost nobody a relist."""
    known = index("a", "b")
    known.apply([added("c", "99")])

    assert compared(known, "a:7", "b:8", "c:99") == {}


def test_each_way_to_differ_is_found() -> None:
    """42: missing, gone, made anew under the same name, and of another version."""
    known = index("gone", "renewed", "same")
    known.apply([added("stale", "90")])

    assert compared(known, "missing:50", "renewed:51:uid-9", "same:52", "stale:95") == {
        key("missing"): entry("50", "uid-missing"),
        key("renewed"): entry("51", "uid-9"),
        key("stale"): entry("95", "uid-stale"),
        key("gone"): None,
    }


def test_an_unknown_version_that_is_newer_than_the_position_differs() -> None:
    """After a restart no version is known; what is newer than the position cannot have been told, though."""

    assert compared(index("a", "b"), "a:100", "b:101") == {key("b"): entry("101", "uid-b")}


def test_a_version_that_was_learnt_counts_from_then_on() -> None:
    """42: else a lost update of an object that was not seen since the start would never be found."""
    known = index("a")

    assert compared(known, "a:98") == {}
    assert compared(known, "a:99") == {key("a"): entry("99", "uid-a")}


def test_what_is_deleted_between_two_pages_is_not_gone_twice() -> None:
    """The delete was told; that the LIST had it no more is no difference."""
    known = index("a", "b")
    comparison = Comparison(known, V100)
    comparison.add(page("a:98"))
    known.apply([deleted("b", "99")])

    assert comparison.end() == {}


def test_differences_take_a_bounded_place() -> None:
    """A million of them prove nothing more than a thousand, and must not fill the memory."""
    names = [f"n{number:05}" for number in range(3 * ENOUGH)]
    missing, gone = [f"{name}:9" for name in names], index(*names)

    assert list(compared(index(), *missing)) == [key(name) for name in names[:ENOUGH]]
    assert list(compared(gone)) == [key(name) for name in names[:ENOUGH]]


def test_only_what_two_looks_saw_alike_has_lasted() -> None:
    """What changed in the cluster between them may still be on its way."""
    before: Differences = {"same": entry("1", "u"), "moved": entry("1", "u"), "gone": None, "told": None}
    now: Differences = {"same": entry("1", "u"), "moved": entry("2", "u"), "gone": None, "new": entry("3", "u")}

    assert lasting(before, now) == {"same": entry("1", "u"), "gone": None}
