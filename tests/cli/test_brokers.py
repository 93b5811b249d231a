from pathlib import Path

import pytest
import typer

from bridge.cli.brokers import kafka_of
from bridge.config.kafka import Kafka, Sasl, Tls
from bridge.config.secret import Secret


def test_flags_say_what_the_file_would(tmp_path: Path) -> None:
    """One kind of settings, so everything that is told of a failed login or certificate is told here too."""
    password = tmp_path / "password"
    password.write_text("secret \n")

    kafka = kafka_of("a:1, [::1]:2", Path("ca.pem"), Path("me.pem"), "SCRAM-SHA-512:me:too", password)

    assert kafka == Kafka(
        bootstrap_servers=("a:1", "[::1]:2"),
        tls=Tls(ca="ca.pem", cert="me.pem", key="me.pem"),
        sasl=Sasl(mechanism="SCRAM-SHA-512", username="me:too", password=Secret("secret ")),
    )
    assert "secret" not in repr(kafka)
    assert kafka.sasl is not None
    assert kafka.sasl.password is not None
    assert kafka.sasl.password.reveal() == "secret "


def test_no_flags_are_no_tls_and_no_login() -> None:
    assert kafka_of("a:1", None, None, None, None) == Kafka(bootstrap_servers=("a:1",))


def test_a_token_is_the_files(tmp_path: Path) -> None:
    """What flags cannot say is told, with the way that there is."""
    with pytest.raises(typer.BadParameter, match=r"a token has a --config, as kafka\.sasl\.token"):
        kafka_of("a:1", None, None, "OAUTHBEARER:me", tmp_path / "password")
