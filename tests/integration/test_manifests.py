"""All of `k8s/`: kustomize builds it, a real API server takes it, and its parts fit each other."""

from pathlib import Path

import pytest
import yaml

from bridge.config.load import load
from tests.integration.installing import admitted, apply, define, made, port_of
from tests.servers.apiserver import Cluster
from tests.servers.kube import RefusedError
from tests.tools.kustomize import K8S, Object, bridge_of, config_of, folders, one, render

HERE = Path(__file__).parent
BRIDGES = [folder for folder in folders() if folder not in {"kafka", "monitoring"}]
SPACES = ("kafka", "monitoring", "shop", "team-a")
"""Those that are not the bridge's to make."""


async def test_everything_applies(cluster: Cluster, tools: Path) -> None:
    """With dry run and for real, fields that the server does not know refused; twice, as GitOps does. Pods too."""
    theirs = [yaml.safe_load(file.read_text()) for file in sorted((tools / "crds").iterdir())]
    async with cluster.kube() as kube:
        await define(kube, [*theirs, *yaml.safe_load_all((HERE / "strimzi.yaml").read_text())])
        for space in SPACES:
            await made(kube, space)
        kinds = set[str]()
        for folder in folders():
            objects = render(tools, folder)
            first, second = [await apply(kube, objects) for _ in range(2)]
            kinds.update(each["kind"] for each in second)
            assert [version(each) for each in first] == [version(each) for each in second], folder
            if folder in BRIDGES:
                assert await admitted(kube, objects)

    assert {"Namespace", "KafkaTopic", "KafkaUser", "PodMonitor", "PrometheusRule", "NetworkPolicy"} < kinds


async def test_the_server_refuses_what_is_misspelt(cluster: Cluster, tools: Path) -> None:
    """Or the test above could not fail."""
    base = render(tools, "base")
    one(base, "Deployment")["spec"]["template"]["spec"]["topologySpread"] = []
    async with cluster.kube() as kube:
        with pytest.raises(RefusedError, match="topologySpread"):
            await apply(kube, base)


@pytest.mark.parametrize("folder", BRIDGES)
def test_ports_and_labels_fit(tools: Path, folder: str) -> None:
    """One name that differs, and probes fail, the Service is empty, the policy lets nobody in, nothing is scraped."""
    objects = render(tools, folder)
    template = one(objects, "Deployment")["spec"]["template"]
    (port,) = bridge_of(one(objects, "Deployment"))["ports"]
    named = [port["name"]]
    (scraped,) = one(render(tools, "monitoring"), "PodMonitor")["spec"]["podMetricsEndpoints"]
    selectors = [one(render(tools, "monitoring"), "PodMonitor")["spec"]["selector"]["matchLabels"]]
    for each in objects:
        if each["kind"] == "Service":
            selectors.append(each["spec"]["selector"])
            assert [exposed["targetPort"] for exposed in each["spec"]["ports"]] == named
        if each["kind"] in {"Deployment", "PodDisruptionBudget"}:
            selectors.append(each["spec"]["selector"]["matchLabels"])
        if each["kind"] == "NetworkPolicy":
            selectors.append(each["spec"]["podSelector"]["matchLabels"])
            assert [let["port"] for rule in each["spec"]["ingress"] for let in rule["ports"]] == named

    assert port["containerPort"] == port_of(objects)
    assert scraped["port"] == port["name"]
    assert probes(objects) == {port["name"]}
    assert [selector for selector in selectors if not selector.items() <= template["metadata"]["labels"].items()] == []


@pytest.mark.parametrize("folder", BRIDGES)
def test_a_container_can_do_no_harm(tools: Path, folder: str) -> None:
    """Pod security `restricted`, and what it does not ask for: a root that cannot be written, no token unasked."""
    objects = render(tools, folder)
    spec = one(objects, "Deployment")["spec"]["template"]["spec"]
    container = bridge_of(one(objects, "Deployment"))
    account = one(objects, "ServiceAccount")

    assert (spec["enableServiceLinks"], account["automountServiceAccountToken"]) == (False, False)
    assert spec["securityContext"].items() >= {"runAsNonRoot": True, "runAsUser": 65532}.items()
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(container["resources"]) == {"requests", "limits"}


@pytest.mark.parametrize("folder", BRIDGES)
def test_no_role_holds_more_than_the_bridge_uses(tools: Path, folder: str) -> None:
    """`list` and `watch`; `get` on one namespace, where the file names no cluster."""
    objects = render(tools, folder)
    (role,) = [each for each in objects if each["kind"] in {"Role", "ClusterRole"}]
    named = "cluster" in yaml.safe_load(config_of(objects))
    verbs = {verb for rule in role["rules"] for verb in rule["verbs"] if rule.get("resourceNames") != ["kube-system"]}
    identity = [rule for rule in role["rules"] if rule.get("resourceNames") == ["kube-system"]]

    assert verbs == {"list", "watch"}
    assert [rule["verbs"] for rule in identity] == ([] if named else [["get"]])


def test_the_overlays_are_what_they_say(tools: Path) -> None:
    """How many there are, how they give way to each other, and where they may be."""
    shapes = {}
    for folder in BRIDGES:
        objects = render(tools, folder)
        spec = one(objects, "Deployment")["spec"]
        spread = spec["template"]["spec"].get("topologySpreadConstraints", [])
        standalone = yaml.safe_load(config_of(objects)).get("standalone", False)
        budget = any(each["kind"] == "PodDisruptionBudget" for each in objects)
        keys = {each["topologyKey"].rpartition("/")[2] for each in spread}
        shapes[folder] = (spec["replicas"], spec.get("strategy", {}).get("type", "rolling"), standalone, budget, keys)

    assert shapes == {
        "base": (2, "rolling", False, True, {"hostname"}),
        "overlays/high-availability": (3, "rolling", False, True, {"hostname", "zone"}),
        "overlays/one-namespace": (2, "rolling", False, True, {"hostname"}),
        "overlays/single": (1, "Recreate", True, False, set()),
        "overlays/strimzi": (2, "rolling", False, True, {"hostname"}),
        "sidecar": (2, "rolling", False, False, set()),
    }


def test_strimzis_topics_and_user_are_those_of_the_overlay(tools: Path) -> None:
    """The bridge makes none there: a topic that is missing, or that the user may not write, is a stream that waits."""
    overlay, kafka = render(tools, "overlays/strimzi"), render(tools, "kafka")
    environment = {each["name"]: each["value"] for each in bridge_of(one(overlay, "Deployment"))["env"]}
    config = load(config_of(overlay), "/etc/event-bridge/bridge.yaml", environment, lambda _: "secret")
    topics = {each["metadata"]["name"]: each["spec"] for each in kafka if each["kind"] == "KafkaTopic"}
    user = one(kafka, "KafkaUser")
    rights = {rule["resource"]["name"]: rule["operations"] for rule in user["spec"]["authorization"]["acls"]}

    assert set(topics) == {config.checkpoint_topic, *(watch.topic for watch in config.watches)}
    assert topics[config.checkpoint_topic]["partitions"] == config.checkpoints.partitions
    assert topics[config.checkpoint_topic]["config"]["cleanup.policy"] == "compact"
    assert not config.topics.create
    assert config.kafka.sasl is not None
    assert (config.kafka.sasl.username, config.kafka.sasl.mechanism.lower()) == (
        user["metadata"]["name"],
        user["spec"]["authentication"]["type"],
    )
    assert rights == {
        f"{config.name}.": ["Write"],
        config.checkpoint_topic: ["Read", "Write", "DescribeConfigs"],
        config.name: ["Read"],
        **{watch.topic: ["Write", "DescribeConfigs"] for watch in config.watches},
    }


def test_the_readmes_own_overlay_builds(tools: Path, tmp_path: Path) -> None:
    """It is what people copy first."""
    parts = (HERE.parent.parent / "k8s" / "README.md").read_text().split("```yaml\n# my-bridge/")[1:]
    place = tmp_path / "my-bridge"
    place.mkdir()
    (tmp_path / "kube-event-bridge").symlink_to(HERE.parent.parent)
    for part in parts:
        name, _, rest = part.partition("\n")
        (place / name).write_text(rest.partition("```")[0])
    objects = render(tools, place)
    container = bridge_of(one(objects, "Deployment"))

    assert sorted(path.name for path in place.iterdir()) == ["bridge.yaml", "kustomization.yaml"]
    assert container["image"] == "registry.example.com/kube-event-bridge:0.1.0"
    assert container["env"] == [{"name": "KAFKA_BOOTSTRAP_SERVERS", "value": "kafka-0.example.com:9092"}]
    assert config_of(objects) == (place / "bridge.yaml").read_text()


@pytest.mark.parametrize("folder", BRIDGES)
def test_an_overlay_with_another_namespace_moves_everything(tools: Path, tmp_path: Path, folder: str) -> None:
    """One line. A binding that still speaks of the old one would grant nothing, or the wrong account something."""
    (tmp_path / "base").symlink_to(K8S)
    place = tmp_path / "mine"
    place.mkdir()
    text = {"namespace": "elsewhere", "resources": [f"../base/{folder}"]}
    (place / "kustomization.yaml").write_text(yaml.safe_dump(text))
    objects = render(tools, place)
    spaces = {each["metadata"].get("namespace", "elsewhere") for each in objects}
    subjects = {subject["namespace"] for each in objects for subject in each.get("subjects", [])}

    assert (spaces, subjects) == ({"elsewhere"}, {"elsewhere"})


def probes(objects: list[Object]) -> set[str]:
    """The ports that the kubelet asks."""
    container = bridge_of(one(objects, "Deployment"))
    return {probe["httpGet"]["port"] for name, probe in container.items() if name.endswith("Probe")}


def version(each: Object) -> str:
    resource_version: str = each["metadata"]["resourceVersion"]
    return resource_version
