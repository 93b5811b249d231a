from bridge.config.secret import Secret
from tests.config.reading import WATCHES, problems, read


def test_a_secret_is_never_printed() -> None:
    """Config objects end in logs and tracebacks; passwords must not."""
    secret = Secret("hunter2")

    assert [repr(secret), str(secret), f"{secret}", f"{secret:>5}"] == ["***", "***", "***", "  ***"]


def test_a_secret_can_be_used() -> None:
    """The broker needs the text itself, to the byte."""
    revealed = Secret("pa$$wörd").reveal()

    assert (revealed, type(revealed)) == ("pa$$wörd", str)


def test_a_config_hides_its_password() -> None:
    """`print(config)` is the first thing anybody does."""
    sasl = "sasl: {mechanism: PLAIN, username: me, password: hunter2}"
    config = read(f"kafka: {{bootstrapServers: kafka:9092, {sasl}}}\n{WATCHES}")

    assert config.kafka.sasl is not None
    assert config.kafka.sasl.password is not None
    assert config.kafka.sasl.password.reveal() == "hunter2"
    assert "hunter2" not in repr(config)
    assert "hunter2" not in str(config)


def test_a_password_that_looks_like_a_number_is_refused_unseen() -> None:
    """`0123` would become 83: only the quoted text is what the broker knows."""
    sasl = "sasl: {mechanism: PLAIN, username: me, password: 0123}"

    assert problems(f"kafka: {{bootstrapServers: kafka:9092, {sasl}}}\n{WATCHES}") == [
        "etc/bridge.yaml:1: kafka.sasl.password: must be text, but YAML takes it for a number. Put it in quotes."
    ]


def test_problems_hide_passwords_wherever_they_stand() -> None:
    """Error messages are pasted into tickets: a mistake near a password must not publish it."""
    texts = [
        "kafka: {bootstrapServers: kafka:9092, sasl: hunter2}\n" + WATCHES,
        "kafka: {bootstrapServers: kafka:9092, sasl: {password: [hunter2]}}\n" + WATCHES,
        "kafka: {bootstrapServers: kafka:9092, sasl: {passwort: hunter2}}\n" + WATCHES,
        "kafka:\n  sasl:\n    password: *hunter2\n",
        "kafka:\n  sasl:\n    password: !hunter2 x\n",
        "kafka:\n  sasl:\n    password: 'hunter2\n",
        "kafka:\n  sasl:\n    password: hunter2: x\n",
    ]

    for text in texts:
        assert "hunter2" not in "\n".join(problems(text))
