import re
from pathlib import Path

import pytest

from bridge.cli.materialize import Screen
from bridge.config.load import load
from bridge.consumer.follower import Delete, GapOpened, Resynced, Upsert
from bridge.consumer.intake import Lost, Refused
from bridge.consumer.records import Previous
from bridge.consumer.state import Chapter, Held, Log, Scope, Standing
from bridge.following import Waiting
from bridge.materialize import Result, topics_of_watches
from tests.cli.test_root import event_bridge

SCOPE = Scope("k8s.pods", 3, "pods")
PARTLY = "only 1 were read: the rest is known from the next epoch on"
MISSING = "records are missing, deleted by retention or with the topic; exact from the next SYNCED on"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing option '--db'"),
        (["--bootstrap-servers", "k:9092"], "needs a --topic"),
        (["--bootstrap-servers", "kafka", "--topic", "t"], "kafka is no broker's address: write host:port"),
        (["--bootstrap-servers", ",", "--topic", "t"], "nothing is no broker's address"),
        (["--bootstrap-servers", "k:9092", "--topic", "t", "--once", "--group", "g"], "leave --group out"),
        (["--bootstrap-servers", "k:9092", "--topic", "t", "--sasl", "PLAIN:me"], "--password-file go together"),
        (
            ["--bootstrap-servers", "k:9092", "--topic", "t", "--sasl", "PLAIN:me", "--password-file", "/nowhere"],
            "cannot read the password from /nowhere",
        ),
        (
            ["--bootstrap-servers", "k:9092", "--topic", "t", "--sasl", "GSSAPI:me", "--password-file", "/dev/null"],
            "Invalid enum value 'GSSAPI'",
        ),
        (["--topic", "t", "--tls-ca", "ca.pem"], "go with --bootstrap-servers"),
    ],
)
def test_a_wrong_command_line_says_what_is_missing(arguments: list[str], words: str, tmp_path: Path) -> None:
    """And makes no file."""
    file = tmp_path / "state.db"

    result = event_bridge("materialize", *(["--db", str(file)] if arguments else []), *arguments)

    assert result.returncode == 2
    assert words in " ".join(re.sub("[│╭╮╰╯─]", " ", result.stderr).split())
    assert not file.exists()


def test_brokers_and_topics_come_from_the_bridges_own_file(tmp_path: Path) -> None:
    """One place for addresses and passwords. That this version cannot run the bridge so is no matter here."""
    config = tmp_path / "bridge.yaml"
    config.write_text("kafka: {bootstrapServers: '127.0.0.1:1'}\nwatches: [{resource: pods}]\n")

    result = event_bridge("materialize", "--db", str(tmp_path / "state.db"), "-c", str(config), "--once")

    assert result.returncode == 1
    assert "no broker of kafka.bootstrapServers (127.0.0.1:1) can be used" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_file_that_cannot_be_used_is_told_before_kafka_is_asked(tmp_path: Path) -> None:
    """The mend is another --db."""
    file = tmp_path / "notes.txt"
    file.write_text("these are notes, and must stay what they are\n" * 100)

    result = event_bridge("materialize", "--db", str(file), "--bootstrap-servers", "127.0.0.1:1", "--topic", "t")

    assert result.returncode == 1
    assert result.stderr.startswith(f"event-bridge materialize: cannot use {file}: file is not a database.")


def names(template: str, resource: str, **more: object) -> tuple[str, ...]:
    fields = "".join(f"{name}: {value}\n" for name, value in more.items() if name == "cluster")
    spaces = f", namespaces: {more['namespaces']}" if "namespaces" in more else ""
    watch = f"{{resource: {resource}, topic: '{template}'{spaces}}}"
    text = f"{fields}kafka: {{bootstrapServers: 'k:1'}}\nwatches: [{watch}]\n"
    return topics_of_watches(load(text, "bridge.yaml", {}, lambda path: path.read_text()))


@pytest.mark.parametrize(
    ("template", "resource", "more", "matched", "unmatched"),
    [
        ("k8s.events", "events", {}, ["k8s.events"], ["k8s-events", "k8s.events.dlq"]),
        ("k8s.{resource}", "pods", {}, ["k8s.pods"], ["k8s.podsets", "k8s.nodes"]),
        ("k8s.{resource}", "deployments", {}, ["k8s.deployments", "k8s.deployments.apps"], ["k8s.pods"]),
        ("k8s.{resource}", "widgets.v1.example.com", {}, ["k8s.widgets.example.com"], ["k8s.v1.example.com"]),
        ("{namespace}.pods", "pods", {"namespaces": "[a, b]"}, ["a.pods", "b.pods"], ["c.pods"]),
        ("{namespace}.pods", "pods", {}, ["a.pods", "_cluster.pods"], ["a.b.pods", "pods"]),
        ("{cluster}.pods", "pods", {"cluster": "prod-eu"}, ["prod-eu.pods"], ["prod-us.pods"]),
        ("{cluster}.{version}.{group}", "pods", {}, ["uid-1.v1.core"], ["uid-1.core"]),
    ],
)
def test_the_topics_of_a_watch_are_found_by_its_template(
    template: str, resource: str, more: dict[str, object], matched: list[str], unmatched: list[str]
) -> None:
    """What the API server alone knows (a group, a namespace) is matched, not guessed."""
    patterns = names(template, resource, **more)

    def is_matched(topic: str) -> bool:
        return any(re.fullmatch(pattern, topic) for pattern in patterns)

    assert [topic for topic in [*matched, *unmatched] if is_matched(topic)] == matched


def test_gaps_are_told_and_changes_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """What an operator reads in the log a week later."""
    screen = Screen()
    held = Held(10, "7", b"{}")
    previous = Previous(epoch=10, resource_version="812345")

    screen.show([GapOpened(SCOPE, 11, "expired", "too old", previous), Upsert(SCOPE, "pods/a/x", held, "LISTED")])
    screen.show([Delete(SCOPE, "pods/a/y", inferred=True), Resynced(SCOPE, 11, "813000", ("pods/a/z",), 1, 1)])
    screen.show([Resynced(SCOPE, 12, "814000", (), 1, 3), Lost(Log("k8s.pods", 3), 17), Waiting("no broker", 2.7)])
    screen.end(Result("", {"pods": 1}, {SCOPE: Chapter(12, Standing.PARTIAL)}))

    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "k8s.pods[3] pods: epoch 11 begins: expired (too old), last position 812345",
        "k8s.pods[3] pods: synced: 1 objects at version 813000, 1 swept",
        f"k8s.pods[3] pods: synced: 3 objects at version 814000, 0 swept; {PARTLY}",
        "2 changes taken; the database holds 1 pods",
    ]
    assert err.splitlines() == [
        f"k8s.pods[3] from offset 17: {MISSING}",
        "waiting 3 s: no broker",
        "k8s.pods[3] pods: incomplete: its last snapshot was not read whole",
    ]


def test_a_flood_of_foreign_records_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A log that is full of one line hides all others."""
    screen = Screen()

    screen.show([Refused(Log("t", 0), n, "it is a CloudEvent") for n in range(1000)])
    screen.end(Result("", {}, {}))

    out, err = capsys.readouterr()
    assert out == "0 changes taken; the database holds nothing\n"
    assert err.splitlines() == [
        *[f"t[0] at offset {n}: passed over: it is a CloudEvent" for n in range(5)],
        "t: more of them are only counted",
        "t: 1000 records passed over: none of the protocol's",
    ]
