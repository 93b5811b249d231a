"""`event-bridge acls` and `rbac` as they are typed, with nobody to ask."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.command import Answer, event_bridge


async def acls(directory: Path, *arguments: str, topic: str = "k8s.all", **kafka: Any) -> Answer:  # noqa: ANN401 - YAML
    watches = [{"resource": "po", "topic": topic}]
    config = {"name": "guarded", "kafka": {"bootstrapServers": "kafka:9092", **kafka}, "watches": watches}
    return await event_bridge("acls", config, directory, *arguments, KUBECONFIG=str(directory / "none"))


SCRAM = {"mechanism": "SCRAM-SHA-512", "username": "me", "password": "secret-password"}


async def test_whom_to_allow_is_who_logs_in_unless_it_is_said(tmp_path: Path) -> None:
    """Most need no option; who has mapped names on the brokers does. The password is in neither."""
    own = await acls(tmp_path, sasl=SCRAM)
    other = await acls(tmp_path, "--principal", "User:other", sasl=SCRAM)

    assert [answer.code for answer in (own, other)] == [0, 0]
    assert own.output.count("--allow-principal User:me ") == other.output.count("--allow-principal User:other ") == 4
    assert "secret-password" not in own.output


@pytest.mark.parametrize(
    ("arguments", "kafka", "words"),
    [
        ([], {"sasl": {"mechanism": "OAUTHBEARER", "token": {"file": "/t"}}}, "brokers make a name"),
        (["--principal", "me"], {}, "me is no principal: write User:me"),
        (["--format", "strimzi", "--principal", "User:O=Acme"], {}, "is no name for a KafkaUser"),
    ],
)
async def test_who_cannot_be_allowed_is_told(
    tmp_path: Path, arguments: list[str], kafka: dict[str, Any], words: str
) -> None:
    """Rules for nobody would be put in force, and the bridge refused as before."""
    answer = await acls(tmp_path, *arguments, **kafka)

    assert (answer.code, answer.output) == (2, "")
    assert words in " ".join(answer.errors.replace("│", " ").split())


@pytest.mark.parametrize(
    ("kafka", "login"),
    [({"sasl": SCRAM}, {"type": "scram-sha-512"}), ({"tls": {"cert": "/c", "key": "/k"}}, {"type": "tls"}), ({}, None)],
)
async def test_a_kafka_user_logs_in_as_the_file_does(tmp_path: Path, kafka: dict[str, Any], login: object) -> None:
    """The operator makes its password or certificate by that."""
    answer = await acls(tmp_path, "--format", "strimzi", "--principal", "User:CN=bridge", **kafka)

    user = yaml.safe_load(answer.output)
    assert (user["kind"], user["metadata"]["name"]) == ("KafkaUser", "bridge")
    assert user["spec"].get("authentication") == login


async def test_a_name_that_depends_on_the_cluster_is_known_as_far_as_the_table_goes(tmp_path: Path) -> None:
    """Without an API server at hand the rule must still be right, and say by what it was made."""
    answer = await acls(tmp_path, "--offline", topic="k8s.{resource}")

    assert answer.code == 0
    assert "no API server was asked (--offline)" in answer.output
    assert " --topic k8s.pods\n" in answer.output
