"""What members tell each other: one configuration runs at a time, and who waits learns for whom."""

from msgspec.structs import replace

from bridge.ownership.words import NOBODY, Offer, Said, Told, assign, difference, encode, introduce, said, told
from bridge.sink.covers import target_of
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

    assert shares == {
        "a": Told((0, 1), None, "one"),
        "b": Told((), running, "one"),
        "c": Told((), running, "one"),
    }


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


NEW = Offer("new", ("pods", "jobs"))
RUNNING = replace(OURS, held=(0, 1))


def test_a_changed_file_waits_until_all_that_run_have_it() -> None:
    """A partition that moved in between would run what was before once more, and tell of a changed selector twice."""
    other = replace(OURS, host="web-2", held=(2, 3))
    shares = assign(4, {"a": replace(RUNNING, offer=NEW), "b": other})

    assert shares == {"a": Told((0, 1), None, "one", ("web-2",)), "b": Told((2, 3), None, "one")}


def test_what_all_that_run_have_offered_runs_at_once() -> None:
    """Where as many streams lie as before nothing moves for it."""
    alike = Offer("new", OURS.streams)
    before = assign(4, {"a": OURS, "b": OURS})
    held = {name: each.partitions for name, each in before.items()}
    shares = assign(4, {name: replace(OURS, held=mine, offer=alike) for name, mine in held.items()})

    assert shares == {name: Told(mine, None, "new") for name, mine in held.items()}


def test_files_that_differ_wait_for_each_other_and_what_runs_goes_on() -> None:
    """Two nodes, two edits: neither may win by chance, and no stream may stand still for it."""
    other = replace(OURS, host="web-2", held=(2, 3), offer=Offer("newer", ("pods",)))
    shares = assign(4, {"a": replace(RUNNING, offer=NEW), "b": other})

    assert shares == {"a": Told((0, 1), None, "one", ("web-2",)), "b": Told((2, 3), None, "one", ("web-1",))}


def test_who_waits_with_another_configuration_does_not_hold_up_those_that_run() -> None:
    """Pods of a rolling update that began with the new file get their share when the old ones have it, too."""
    early = Said("web-9", "new", "prod", NEW.streams)
    before = assign(4, {"a": replace(RUNNING, held=(0, 1, 2, 3)), "b": early})
    after = assign(4, {"a": replace(RUNNING, held=(0, 1, 2, 3), offer=NEW), "b": early})

    assert (before["b"].instead, before["b"].partitions) == (replace(RUNNING, held=(0, 1, 2, 3)), ())
    assert {name: (each.config, each.instead) for name, each in after.items()} == {
        "a": ("new", None),
        "b": ("new", None),
    }


def test_who_comes_late_with_the_file_that_runs_gets_its_share() -> None:
    """A replica that was cut off while the others changed: it has the file, and has not run it yet."""
    running = replace(OURS, config="new", streams=NEW.streams, held=(0, 1))
    shares = assign(2, {"a": running, "b": replace(OURS, host="web-2", offer=NEW)})

    assert shares["b"].instead is None
    assert shares["b"].config == "new"


def test_a_file_that_was_changed_back_waits_for_nobody() -> None:
    shares = assign(2, {"a": RUNNING, "b": replace(OURS, host="web-2")})

    assert [(each.config, each.behind) for each in shares.values()] == [("one", ()), ("one", ())]


def test_an_earlier_version_without_offers_is_waited_for() -> None:
    """Words that know of no offers are those of a file that has not changed."""
    old = said(b'{"host":"web-2","config":"one","cluster":"prod","streams":["pods","events"],"held":[2]}')
    shares = assign(4, {"a": replace(RUNNING, offer=NEW), "b": old})

    assert (shares["a"].config, shares["a"].behind) == ("one", ("web-2",))


def test_partitions_are_weighed_by_the_streams_that_are_to_run() -> None:
    """Those of the file before say nothing of where the work will be."""
    many = Offer("new", tuple(f"s{number}" for number in range(40)))
    shares = assign(40, {"a": replace(OURS, offer=many), "b": replace(OURS, host="web-2", offer=many)})
    weights = [
        len([s for s in many.streams if target_of("", 40, s).partition in each.partitions]) for each in shares.values()
    ]

    assert max(weights) - min(weights) <= 1
