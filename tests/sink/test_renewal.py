"""`bridge.sink.renewal`: each connection takes the secrets of now."""

import asyncio
from pathlib import Path

import pytest

from bridge.config.kafka import Sasl, Tls, Token
from bridge.sink.renewal import Certificates, Connection, Password, Provider
from bridge.sink.token import LoginError
from tests.servers.secure import certificate


def test_a_password_is_that_of_the_file(tmp_path: Path) -> None:
    """Rotated by the hour, without a restart; a file that is being written costs nothing."""
    file = tmp_path / "password"
    password = Password("first", str(file))
    said = [password.now()]
    for content in (b"second\n", b"", b"\xff", b"third "):
        file.write_bytes(content)
        said.append(password.now())
    file.unlink()
    said.append(password.now())

    assert said == ["first", "second", "second", "second", "third ", "third "]
    assert Password("written", "").now() == "written"


def test_certificates_are_those_of_the_files(tmp_path: Path) -> None:
    """Unchanged files cost no new context; a certificate beside a key that is not its own is waited out."""
    cert, key = certificate(tmp_path, "client")
    found = Certificates(Tls(ca=str(cert), cert=str(cert), key=str(key)))
    first = found.now()
    assert found.now() is first

    other = certificate(tmp_path, "other")
    cert.write_bytes(other[0].read_bytes())
    assert found.now() is first
    key.write_bytes(other[1].read_bytes())
    second = found.now()

    assert second is not first
    assert found.now() is second
    cert.unlink()
    assert found.now() is second


def test_certificates_must_be_there_at_first(tmp_path: Path) -> None:
    with pytest.raises(LoginError, match=r"cannot use the files of kafka\.tls \(ca .*gone"):
        Certificates(Tls(ca=str(tmp_path / "gone"))).now()


def test_a_refused_token_is_no_login(tmp_path: Path) -> None:
    """aiokafka takes the broker's refusal for a yes, and the next request for a broken connection (RFC 7628, 3.2.3)."""
    (tmp_path / "token").write_text("T")
    sasl = Sasl(mechanism="OAUTHBEARER", token=Token(file=str(tmp_path / "token")), extensions={"a": "b", "c": "d"})

    async def talk() -> list[object]:
        options = {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": Provider(sasl)}
        connection = Connection("h", 1, security_protocol="SASL_PLAINTEXT", **options)  # type: ignore[no-untyped-call]
        said: list[object] = []
        for answer in (b"", b'{"status":"invalid_token"}'):
            bearer = connection.authenticator_oauth()
            said += [await bearer.step(None), await bearer.step(answer)]
        return said

    first = (b"n,,\x01auth=Bearer T\x01a=b\x01c=d\x01\x01", True)
    assert asyncio.run(talk()) == [first, None, first, (b"\x01", True)]
