"""`bridge.sink.connection`: from the config to what aiokafka's clients take."""

import asyncio
from pathlib import Path

import pytest

from bridge.config.kafka import Kafka, Sasl, Tls
from bridge.config.secret import Secret
from bridge.config.units import Duration
from bridge.sandbox.broker.server import Broker, Options
from bridge.sink.connection import KafkaFault, SettingFault, faults, settings
from bridge.sink.producer import Producer
from tests.sink.stage import delete, make

SASL = Sasl(mechanism="SCRAM-SHA-512", username="bridge", password=Secret("pa$$"))


def protocol(**options: object) -> object:
    return settings(Kafka(**{"bootstrap_servers": ("a:1",), **options}))["security_protocol"]  # type: ignore[arg-type]


def test_a_plain_connection() -> None:
    """New partitions are noticed within half a minute, and no request outlives its transaction."""
    assert settings(Kafka(bootstrap_servers=("a:1", "b:2"), transaction_timeout=Duration(3.0))) == {
        "bootstrap_servers": ["a:1", "b:2"],
        "client_id": "event-bridge",
        "request_timeout_ms": 3000,
        "metadata_max_age_ms": 30000,
        "security_protocol": "PLAINTEXT",
    }


def test_no_request_waits_for_long() -> None:
    kafka = Kafka(bootstrap_servers=("a:1",), transaction_timeout=Duration(900.0))

    assert settings(kafka)["request_timeout_ms"] == 10000


def test_tls_and_sasl_make_the_protocol() -> None:
    assert protocol(tls=Tls()) == "SSL"
    assert protocol(sasl=SASL) == "SASL_PLAINTEXT"
    assert protocol(tls=Tls(), sasl=SASL) == "SASL_SSL"


def test_the_password_is_the_real_one() -> None:
    made = settings(Kafka(bootstrap_servers=("a:1",), sasl=SASL))

    assert made["sasl_plain_password"].now().encode() == b"pa$$"
    assert (made["sasl_mechanism"], made["sasl_plain_username"]) == ("SCRAM-SHA-512", "bridge")


def test_certificates_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    garbage = tmp_path / "ca.crt"
    garbage.write_text("no certificate")

    for tls in (Tls(ca="/nowhere/ca.crt"), Tls(ca=str(garbage)), Tls(cert="/nowhere/tls.crt", key="/nowhere/tls.key")):
        with pytest.raises(SettingFault, match=r"cannot use the files of kafka\.tls \((ca|cert) /.*\.crt"):
            settings(Kafka(bootstrap_servers=("a:1",), tls=tls))


async def test_what_the_client_gives_up_is_a_fault() -> None:
    """It cancels futures of its own when it closes: who shares streams, or hears requests, would end without a word."""
    given_up = asyncio.get_running_loop().create_future()
    given_up.cancel()

    with pytest.raises(KafkaFault, match="could not ask: given up by Kafka's client"):
        async with faults(Kafka(bootstrap_servers=("a:1",)), "ask", 9):
            await given_up


async def test_what_we_cancel_is_no_fault() -> None:
    """A stream that is stopped must end, and not try again."""

    async def waits() -> None:
        async with faults(Kafka(bootstrap_servers=("a:1",)), "ask", 9):
            await asyncio.sleep(5)

    task = asyncio.create_task(waits())
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait({task})

    assert task.cancelled()


async def test_no_topic_is_made_by_asking_for_it() -> None:
    """Brokers are set to make what is asked for: a topic deleted under a stream would come back as none of ours."""
    async with Broker(options=Options(auto_create=True)) as broker:
        await make(broker.bootstrap, "mine", 2, {})
        producer = await Producer.start(Kafka(bootstrap_servers=(broker.bootstrap,)), "bridge.pods")
        await producer.track(["mine"])
        await delete(broker.bootstrap, "mine")
        await producer._client.kafka.force_metadata_update()
        left = await producer.look(["mine"])
        await producer.kill()

    assert left == {}
