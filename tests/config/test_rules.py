import pytest

from tests.config.reading import KAFKA, REST, WATCHES, problems, read


def test_a_transaction_outlives_the_commit_interval() -> None:
    """Otherwise the broker aborts every transaction before its commit, and nothing ever arrives."""
    text = f"kafka:\n  bootstrapServers: kafka:9092\n  commitInterval: 5s\n  transactionTimeout: 5s\n{WATCHES}"

    assert problems(text) == [
        (
            "etc/bridge.yaml:4: kafka.transactionTimeout: must be longer than commitInterval (5s),"
            " or the broker aborts every transaction. Write more than 5s, or lower commitInterval."
        )
    ]


def test_a_certificate_and_its_key_go_together() -> None:
    """One without the other fails in the TLS library, with its words."""
    text = f"kafka:\n  bootstrapServers: kafka:9092\n  tls: {{cert: tls.crt}}\n{WATCHES}"

    assert problems(text) == ["etc/bridge.yaml:3: kafka.tls: cert is given without key. Add key, or remove cert."]
    assert problems(text.replace("cert", "key")) == [
        "etc/bridge.yaml:3: kafka.tls: key is given without cert. Add cert, or remove key."
    ]


def test_sasl_goes_without_tls() -> None:
    """Inside a mesh or a test cluster that is how it is."""
    sasl = "{mechanism: SCRAM-SHA-256, username: me, password: x}"

    assert read(f"kafka: {{bootstrapServers: a:1, sasl: {sasl}}}\n{WATCHES}").kafka.tls is None


def test_the_buffer_holds_the_largest_record() -> None:
    """A record that never fits would stop its stream for good."""
    text = f"buffer: 4MiB\nkafka: {{bootstrapServers: a:1, maxMessageBytes: 8MiB}}\n{WATCHES}"

    assert problems(text) == [
        "etc/bridge.yaml:1: buffer: cannot hold even one record of kafka.maxMessageBytes (8MiB). Write at least 8MiB."
    ]


def test_ports_end() -> None:
    """Five digits are not yet a port."""
    text = f"http: {{listen: '127.0.0.1:70000'}}\nkafka: {{bootstrapServers: [a:1, b:99999]}}\n{WATCHES}"

    assert problems(text) == [
        "etc/bridge.yaml:1: http.listen: 70000 is not a port. Ports end at 65535.",
        "etc/bridge.yaml:2: kafka.bootstrapServers[1]: 99999 is not a port. Ports end at 65535.",
    ]


def test_two_streams_of_one_name_are_refused() -> None:
    """They would overwrite each other's checkpoint, and consumers could not tell them apart."""
    text = (
        f"{KAFKA}watches:\n  - resource: pods\n  - resource: pods\n    topic: other\n"
        "  - name: pods.team-a\n    resource: po\n  - name: pods\n    resource: po\n    namespaces: [team-b, team-a]\n"
    )

    mend = "Give one of the two another name."
    assert problems(text) == [
        f"etc/bridge.yaml:4: watches[1].resource: a stream called pods is made by watches[0] already. {mend}",
        f"etc/bridge.yaml:8: watches[3].name: a stream called pods.team-a is made by watches[2] already. {mend}",
    ]


def test_names_that_streams_cannot_have_are_refused() -> None:
    """A marker's key is the stream's name, an object's key holds a `/`: that is how consumers tell them apart."""
    text = f"{KAFKA}watches: [{{resource: pods, name: a/b}}, {{resource: Pods/log}}]"

    assert problems(text) == [
        (
            "etc/bridge.yaml:2: watches[0].name: 'a/b' is not a stream's name. Use lower-case letters, digits, '-', '.'"
            " and '_', at most 150 of them, and begin and end with a letter or digit."
        ),
        (
            "etc/bridge.yaml:2: watches[1].resource: 'Pods/log' is not a resource. Write it as kubectl takes it:"
            " pods, po, deployments.apps or widgets.v1.example.com."
        ),
    ]


def test_nothing_is_listed_twice() -> None:
    """A namespace listed twice would be two streams of one name."""
    text = f"{KAFKA}watches: [{{resource: pods, namespaces: [a, b, a], types: [ADDED, ADDED], drop: [spec, spec]}}]"

    assert problems(text) == [
        "etc/bridge.yaml:2: watches[0].namespaces[2]: a is listed twice. Remove one of the two.",
        "etc/bridge.yaml:2: watches[0].types[1]: ADDED is listed twice. Remove one of the two.",
        "etc/bridge.yaml:2: watches[0].drop[1]: spec is listed twice. Remove one of the two.",
    ]


def test_what_the_protocol_needs_cannot_be_dropped() -> None:
    """Without the uid a consumer takes a successor of the same name for the same object."""
    fields = "metadata.managedFields, metadata.uid, kind, 'a..b', 'metadata[name]'"
    text = f"{KAFKA}watches: [{{resource: pods, drop: [{fields}]}}]"

    assert problems(text) == [
        (
            "etc/bridge.yaml:2: watches[0].drop[3]: 'a..b' is not a path to a field."
            " Join the names by dots: metadata.managedFields. A name that holds dots stands in brackets:"
            " metadata.annotations[example.com/note]."
        ),
        (
            "etc/bridge.yaml:2: watches[0].drop[1]: metadata.uid cannot be dropped:"
            " consumers need it to tell objects apart. Remove it from the list."
        ),
        (
            "etc/bridge.yaml:2: watches[0].drop[2]: kind cannot be dropped:"
            " consumers need it to tell objects apart. Remove it from the list."
        ),
        (
            "etc/bridge.yaml:2: watches[0].drop[4]: metadata[name] cannot be dropped:"
            " consumers need it to tell objects apart. Remove it from the list."
        ),
    ]


def test_no_watch_writes_to_the_checkpoint_topic() -> None:
    """It is compacted and read back at every start: foreign records in it would be taken for positions."""
    mend = "Give the watch a topic of its own, or set checkpoints.topic."

    assert problems(f"{KAFKA}watches: [{{resource: pods, topic: kube-event-bridge.checkpoints}}]") == [
        f"etc/bridge.yaml:2: watches[0].topic: kube-event-bridge.checkpoints is the checkpoint topic. {mend}"
    ]
    watch = "{resource: pods, namespaces: [a, shop], topic: 'k8s.{namespace}'}"
    text = f"checkpoints: {{topic: k8s.shop}}\n{KAFKA}watches: [{watch}]"
    assert problems(text) == [f"etc/bridge.yaml:3: watches[0].topic: k8s.shop is the checkpoint topic. {mend}"]
    assert problems(f"checkpoints: {{topic: ..}}\n{REST}") == [
        "etc/bridge.yaml:1: checkpoints.topic: Kafka does not take .. as a topic name. Give it another."
    ]


def test_formats_that_are_not_written_yet_are_refused_by_name() -> None:
    """Accepting the word and writing envelopes would break the consumer who relies on it."""
    text = f"{KAFKA}watches:\n  - resource: pods\n    format: object\n  - resource: po\n    format: cloudevents\n"

    assert problems(text) == [
        "etc/bridge.yaml:4: watches[0].format: object is not yet possible: only envelope. Remove the line.",
        "etc/bridge.yaml:6: watches[1].format: cloudevents is not yet possible: only envelope. Remove the line.",
    ]


def test_a_mistake_does_not_bring_others_with_it() -> None:
    """Rules over fields that are wrong by themselves say nothing: the user mends one thing once."""
    text = (
        "cluster: 7\nname: a/b\nkafka: {bootstrapServers: a:1, commitInterval: 60s, transactionTimeout: 1s}\n"
        "watches:\n  - {resource: a/b}\n  - {resource: a/b, topic: '{cluster}'}\n"
    )

    assert [problem.split(": ")[1] for problem in problems(text)] == [
        "cluster",
        "name",
        "kafka.commitInterval",
        "watches[0].resource",
        "watches[1].resource",
    ]
    lost = f"{KAFKA}watches: [{{resource: pods}}, {{resource: pods, namespaces: team-a}}]"
    assert [problem.split(": ")[1] for problem in problems(lost)] == ["watches[1].namespaces"]


LOGIN = "kafka: {bootstrapServers: kafka:9092, sasl: {mechanism: %s}}\n" + WATCHES


@pytest.mark.parametrize(
    ("sasl", "said"),
    [
        (
            "OAUTHBEARER, username: me",
            [
                "token: is missing: OAUTHBEARER needs it. Add it: token: {file: /path/to/it}",
                "username: is not for OAUTHBEARER. Remove it, or change the mechanism.",
            ],
        ),
        (
            "SCRAM-SHA-512, username: me, token: {file: t}",
            [
                "password: is missing: SCRAM-SHA-512 needs it. Add it: password: {file: /path/to/it}",
                "token: is not for SCRAM-SHA-512. Remove it, or change the mechanism.",
            ],
        ),
        (
            "OAUTHBEARER, token: {}",
            [
                (
                    "token: names neither a file nor a command."
                    " Write one of the two: file: /path, or command: [program, argument]."
                )
            ],
        ),
        (
            "OAUTHBEARER, token: {file: t, command: [S3CRET]}",
            [
                (
                    "token: names both a file and a command."
                    " Write one of the two: file: /path, or command: [program, argument]."
                )
            ],
        ),
        (
            "OAUTHBEARER, token: S3CRET",
            ["token: must be a mapping, but is text. Indent its fields under it: file, command."],
        ),
        (
            "OAUTHBEARER, token: {file: t}, extensions: {auth: S3CRET}",
            [
                (
                    "extensions.auth: is no extension of OAUTHBEARER."
                    " A name has letters only and is not auth, a value visible ASCII."
                )
            ],
        ),
    ],
)
def test_a_login_is_by_password_or_by_token(sasl: str, said: list[str]) -> None:
    """Half of one and half of another would fail at the broker, with less to go by."""
    assert problems(LOGIN % sasl) == [f"etc/bridge.yaml:1: kafka.sasl.{line}" for line in said]


def test_a_position_may_be_as_old_as_a_silent_stream_lets_it_become() -> None:
    """A shorter limit would call every quiet stream stale, again and again, though nothing is wrong."""
    text = f"{KAFKA}verifyInterval: 10m\nwatches: [{{resource: pods, staleAfter: 10m}}]\n"

    assert problems(text) == [
        (
            "etc/bridge.yaml:3: watches[0].staleAfter: must be longer than verifyInterval (10m): a silent stream's"
            " position becomes as old as that. Write at least 20m, or lower verifyInterval."
        )
    ]
    assert read(text.replace("staleAfter: 10m", "staleAfter: 11m")).watches[0].stale_after == 660.0


def test_without_a_limit_of_its_own_a_watch_has_one_that_fits() -> None:
    """Whoever verifies once an hour must not have to think of it."""
    config = read(f"{KAFKA}watches: [{{resource: pods}}, {{resource: events, staleAfter: 1h}}]\n")
    seldom = read(f"{KAFKA}verifyInterval: 1h\nwatches: [{{resource: pods}}]\n")

    assert [config.stale_after(watch) for watch in config.watches] == [300.0, 3600.0]
    assert seldom.stale_after(seldom.watches[0]) == 9000.0


def test_nothing_needs_to_be_served() -> None:
    """A sidecar may have no port to spare."""
    assert read(f"{KAFKA}{WATCHES}http: {{listen: null}}\n").http.listen is None
