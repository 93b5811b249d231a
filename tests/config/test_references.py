import pytest

from tests.config.reading import REST, WATCHES, problems, read

SASL = "kafka:\n  bootstrapServers: kafka:9092\n  sasl:\n    mechanism: PLAIN\n    username: me\n    password: "


def password(written: str, env: dict[str, str] | None = None, files: dict[str, str] | None = None) -> str:
    sasl = read(f"{SASL}{written}\n{WATCHES}", env, files).kafka.sasl
    assert sasl is not None
    assert sasl.password is not None
    return sasl.password.reveal()


def test_a_whole_value_comes_from_the_environment() -> None:
    """Secrets stay out of the file; the environment's text is taken to the letter, even if it looks like a number."""
    assert password("${PW}", {"PW": "0123"}) == "0123"
    assert password('"${PW}"', {"PW": " a: b "}) == " a: b "
    assert password("${PW}", {"PW": "${OTHER}"}) == "${OTHER}"


@pytest.mark.parametrize("text", ["pa$$word", "a${X}b", "$X", "${X", "${X}${Y}", "${1X}", "${}", "x ${X}"])
def test_a_dollar_inside_a_text_survives(text: str) -> None:
    """A password that is expanded by accident is a login that fails without a reason to be seen."""
    assert password(f"'{text}'", {"X": "boom", "Y": "boom"}) == text


def test_numbers_switches_and_units_come_from_the_environment() -> None:
    """Deployments set partitions and the like by environment; there everything is text."""
    text = 'topics: {partitions: "${N}", create: "${C}"}\nbuffer: ${B}\nprogressInterval: ${P}\n' + REST

    config = read(text, {"N": "6", "C": "false", "B": "1MiB", "P": "5m"})

    assert (config.topics.partitions, config.topics.create) == (6, False)
    assert (config.buffer, config.progress_interval) == (1_048_576, 300.0)


def test_a_list_takes_references_as_entries() -> None:
    """The sidecar watches its own namespace: POD_NAMESPACE comes from the downward API."""
    text = 'kafka: {bootstrapServers: "${BOOT}"}\nwatches: [{resource: events, namespaces: ["${POD_NAMESPACE}"]}]'

    config = read(text, {"BOOT": "a:1, b:2", "POD_NAMESPACE": "shop"})

    assert config.kafka.bootstrap_servers == ("a:1", "b:2")
    assert config.watches[0].namespaces == ("shop",)


def test_a_file_gives_its_content_without_the_last_line_end() -> None:
    """Mounted secrets often end in a newline that is no part of the password; inner ones are."""
    assert password("{file: pw}", files={"etc/pw": "hunter2\n"}) == "hunter2"
    assert password("{file: pw}", files={"etc/pw": "hunter2\r\n"}) == "hunter2"
    assert password("{file: pw}", files={"etc/pw": "a\nb\n\n"}) == "a\nb\n"


def test_a_path_begins_at_the_config_file() -> None:
    """Where the bridge is started must not matter; absolute paths are absolute."""
    assert password("{file: ../pw}", files={"etc/../pw": "up"}) == "up"
    assert password("{file: /run/pw}", files={"/run/pw": "abs"}) == "abs"
    config = read(f"kubernetes: {{kubeconfig: admin.conf}}\n{REST}")
    assert config.kubernetes.kubeconfig == "etc/admin.conf"


def test_home_is_home() -> None:
    """`~/.kube/config` is how everybody writes it, though no shell reads this file."""
    text = f"kubernetes: {{kubeconfig: ~/.kube/config}}\n{REST}"

    assert read(text, {"HOME": "/home/me"}).kubernetes.kubeconfig == "/home/me/.kube/config"
    assert password("{file: ~/pw}", {"HOME": "/home/me"}, {"/home/me/pw": "x"}) == "x"


def test_what_cannot_be_fetched_is_named() -> None:
    """A forgotten variable or mount is the commonest failure of a first deployment."""
    text = f"{SASL}{{file: /run/pw}}\n{WATCHES}cluster: ${{CLUSTER}}\n"

    assert problems(text) == [
        (
            "etc/bridge.yaml:6: kafka.sasl.password: cannot read the file '/run/pw': No such file or directory."
            " Create it, or correct the path."
        ),
        (
            "etc/bridge.yaml:8: cluster: the environment variable CLUSTER is not set."
            " Set CLUSTER, or write the value here."
        ),
    ]


def test_fetched_values_are_not_shown() -> None:
    """If somebody names the wrong variable, a secret may stand in a place where messages show the value."""
    text = (
        "topics: {partitions: '${S}', create: '${S}'}\nprogressInterval: ${S}\nname: ${S}\nlog: {level: '${S}'}\n"
        f"cluster: ${{NONE}}\n{SASL}{{file: empty}}\n{WATCHES}"
    )

    assert problems(text, {"S": "hun/ter2", "NONE": ""}, {"etc/empty": "\n"}) == [
        "etc/bridge.yaml:1: topics.create: the value of $S is neither true nor false. Write true or false.",
        (
            "etc/bridge.yaml:1: topics.partitions: the value of $S is not a whole number."
            " Write plain digits, for example 12."
        ),
        (
            "etc/bridge.yaml:2: progressInterval: the value of $S: not a duration."
            " Write a duration there, for example 60s."
        ),
        "etc/bridge.yaml:3: name: the value of $S is not a name for Kafka. Use letters, digits, '.', '_' and '-' only.",
        "etc/bridge.yaml:4: log.level: the value of $S is not possible here. Possible are debug, error, info, warning.",
        (
            "etc/bridge.yaml:5: cluster: is empty: the value of $NONE holds nothing."
            " Write a value, or remove the line if it has a default."
        ),
        (
            "etc/bridge.yaml:11: kafka.sasl.password: is empty: the value of the file 'etc/empty' holds nothing."
            " Write it, or take it from ${NAME} or {file: path}."
        ),
    ]


def test_a_path_is_not_its_content() -> None:
    """`ca: {file: ...}` is a natural mistake: everywhere else it would be right."""
    text = "kafka:\n  bootstrapServers: kafka:9092\n  tls:\n    ca: {file: /etc/ca.crt}\n" + WATCHES

    assert problems(text) == [
        "etc/bridge.yaml:4: kafka.tls.ca: is the path of a file, not its content. Write the path alone: '/etc/ca.crt'."
    ]
