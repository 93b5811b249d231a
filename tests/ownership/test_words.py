"""What members tell each other: one configuration runs at a time, and who waits learns for whom."""

from msgspec.structs import replace

from bridge.ownership.words import NOBODY, Said, Told, assign, difference, encode, introduce, said, told
from tests.config.reading import KAFKA, read

OURS = Said("web-1", "one", "prod", ("pods", "events"))
THEIRS = Said("job-1", "two", "test", ("pods", "jobs"))


def partitions(shares: dict[str, Told]) -> dict[str, int]:
    return {member: len(each.partitions) for member, each in shares.items()}


def test_members_of_one_configuration_share() -> None:
    shares = assign(8, {"a": OURS, "b": replace(OURS, host="web-2")})

    assert partitions(shares) == {"a": 4, "b": 4}
    assert [each.instead for each in shares.values()] == [None, None]


def test_what_somebody_holds_stays_his_until_he_lets_go() -> None:
    """Two owners of one partition would be two writers of one stream."""
    shares = assign(4, {"a": replace(OURS, held=(0, 1, 2, 3)), "b": OURS})

    assert shares["a"].partitions + shares["b"].partitions == shares["a"].partitions
    assert len(shares["a"].partitions) < 4


def test_another_configuration_waits_for_those_that_run() -> None:
    """A partition's owner must know all of its streams: or one would stand still, and nobody would say so."""
    running = replace(OURS, held=(0, 1))

    shares = assign(2, {"a": running, "b": THEIRS, "c": THEIRS})

    assert shares == {"a": Told((0, 1)), "b": Told((), running), "c": Told((), running)}


def test_when_the_last_has_gone_the_other_configuration_runs() -> None:
    """The end of a rolling update."""
    assert partitions(assign(2, {"b": THEIRS, "c": THEIRS})) == {"b": 1, "c": 1}


def test_without_holders_the_larger_number_runs() -> None:
    """At the first start of everything; any choice will do, as long as it is one."""
    assert partitions(assign(2, {"a": OURS, "b": THEIRS, "c": THEIRS})) == {"a": 0, "b": 1, "c": 1}


def test_who_cannot_be_understood_gets_nothing_and_keeps_what_it_holds() -> None:
    """A later version may say it otherwise."""
    shares = assign(2, {"a": OURS, "b": NOBODY, "c": NOBODY})

    assert partitions(shares) == {"a": 2, "b": 0, "c": 0}


def test_words_come_back_as_they_were() -> None:
    assert said(encode(replace(OURS, held=(1, 2)))) == replace(OURS, held=(1, 2))
    assert told(encode(Told((1,), THEIRS))) == Told((1,), THEIRS)


def test_what_are_no_words_is_nobody() -> None:
    """A foreign program in the group must not crash its leader."""
    assert (said(b"\x00"), said(b"{}"), told(b"")) == (NOBODY, NOBODY, Told(()))


def test_words_that_are_no_text_are_nobodys() -> None:
    """Another program's member of the group must not end every replica."""
    assert said(b'{"host":"\xff"}') == NOBODY
    assert told(b'{"partitions":[],"instead":{"host":"\xff"}}') == Told(())


def test_a_difference_is_told_in_words() -> None:
    """Two teams with one name find each other by this line."""
    assert difference(THEIRS, OURS) == (
        "it runs on web-1; its cluster is prod, ours test; streams only there: events; streams only here: jobs"
    )
    assert difference(OURS, replace(OURS, config="x")) == "it runs on web-1; the same streams, otherwise defined"


def test_many_streams_are_not_all_told() -> None:
    many = replace(OURS, streams=tuple(f"s{n}" for n in range(9)))

    assert difference(THEIRS, many).endswith(
        "streams only there: s0, s1, s2, s3, s4 and 4 more; streams only here: jobs, pods"
    )


def test_configurations_differ_by_what_an_owner_must_know() -> None:
    """Not by what one pod may have otherwise than the next: a log level must not stop a rolling update."""
    text = f"{KAFKA}watches: [{{resource: pods}}]\n"
    mine = introduce(read(text), "uid", "a").config

    assert introduce(read(f"{text}log: {{level: debug}}\n"), "uid", "b").config == mine
    assert introduce(read(f"{KAFKA}watches: [{{resource: pods, staleAfter: 1h}}]\n"), "uid", "b").config == mine
    assert introduce(read(f"{KAFKA}watches: [{{resource: pods, topic: x}}]\n"), "uid", "a").config != mine
    assert introduce(read(text), "another cluster", "a").config != mine


def test_two_clusters_of_one_name_are_told_apart() -> None:
    """A file that was copied to another cluster, name, `cluster` and all."""
    here, there = replace(OURS, cluster_uid="u1"), replace(OURS, host="web-9", config="two", cluster_uid="u2")

    assert difference(here, there) == (
        "it runs on web-9; its cluster is another one, though both are called prod:"
        " the uid of kube-system is u2 there, u1 here"
    )
    assert difference(OURS, there) == "it runs on web-9; the same streams, otherwise defined"
