"""One entry of `watches`: a resource, where, which objects, to which topic."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from bridge.config.kafka import Text
from bridge.config.units import Duration

STREAM_NAME = r"^[a-z0-9]([-a-z0-9._]*[a-z0-9])?$"
NAMESPACE = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
RESOURCE = r"^[A-Za-z]([-A-Za-z0-9]*[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*$"
FIELD_PATH = r"^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*|\[[^\[\]]+\])*$"
SELECTOR = r"^.*\S.*$"
PLACEHOLDERS = ("resource", "group", "version", "namespace", "cluster")

LONGEST_STREAM = 150
"""Leaves room for the deployment's name before it in a transactional id and a namespace (63) behind it."""

StreamName = Annotated[
    str,
    Meta(
        pattern=STREAM_NAME,
        max_length=LONGEST_STREAM,
        extra={
            "shape": "a stream's name. Use lower-case letters, digits, '-', '.' and '_', at most 150 of them,"
            " and begin and end with a letter or digit",
        },
    ),
]
ResourceName = Annotated[
    str,
    Meta(
        pattern=RESOURCE,
        max_length=LONGEST_STREAM,
        extra={
            "shape": "a resource. Write it as kubectl takes it: pods, po, deployments.apps or widgets.v1.example.com",
        },
    ),
]
Namespace = Annotated[
    str,
    Meta(
        pattern=NAMESPACE,
        max_length=63,
        extra={"shape": "a namespace. Use lower-case letters, digits and '-', at most 63 of them"},
    ),
]
Selector = Annotated[
    str,
    Meta(pattern=SELECTOR, extra={"shape": "a selector. Write one such as app=web, or remove the line"}),
]
FieldPath = Annotated[
    str,
    Meta(
        pattern=FIELD_PATH,
        extra={
            "shape": "a path to a field. Join the names by dots: metadata.managedFields. A name that holds dots stands"
            " in brackets: metadata.annotations[example.com/note]",
        },
    ),
]
Staleness = Annotated[Duration, Meta(ge=1.0, le=604_800.0, extra={"unit": "duration"})]


class Watch(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """What to watch and where its changes go."""

    name: Annotated[
        StreamName | None,
        Meta(
            description="The stream's name: in every record, in the checkpoint, in metrics. Keep it: a new name starts"
            " from nothing. With `namespaces`, each stream is called {name}.{namespace}.",
            examples=["pods"],
            extra={"default": "the resource"},
        ),
    ] = None
    resource: Annotated[
        ResourceName,
        Meta(
            description="What to watch, as kubectl takes it: pods, po, deployments.apps, widgets.v1.example.com.",
            examples=["pods", "events", "deployments.apps", "widgets.v1.example.com"],
        ),
    ]
    namespaces: Annotated[
        tuple[Namespace, ...],
        Meta(
            description="Namespaces to watch, one stream each. Empty: all of them, in one stream.",
            examples=[["team-a", "team-b"]],
        ),
    ] = ()
    label_selector: Annotated[
        Selector | None,
        Meta(
            description="Only objects with these labels, as in `kubectl get -l`. An object that leaves the selection"
            " is reported as DELETED.",
            examples=["app=web", "tier in (front, back),!canary"],
            extra={"default": "all objects"},
        ),
    ] = None
    field_selector: Annotated[
        Selector | None,
        Meta(
            description="Only objects with these field values, as in `kubectl get --field-selector`.",
            examples=["type=Warning", "status.phase!=Succeeded"],
            extra={"default": "all objects"},
        ),
    ] = None
    types: Annotated[
        tuple[Literal["ADDED", "MODIFIED", "DELETED"], ...],
        Meta(description="The changes to publish. Snapshots and markers are always published.", min_length=1),
    ] = ("ADDED", "MODIFIED", "DELETED")
    topic: Annotated[
        Text,
        Meta(
            description="The topic. Placeholders: {resource} {group} {version} {namespace} {cluster}.",
            examples=["k8s.events", "k8s.{resource}", "{cluster}.{namespace}.{resource}"],
        ),
    ] = "k8s.{resource}"
    format: Annotated[
        Literal["envelope", "object", "cloudevents"],
        Meta(description="The form of a record's value. This version writes envelope only."),
    ] = "envelope"
    drop: Annotated[
        tuple[FieldPath, ...],
        Meta(
            description="Fields to leave out of the objects, as dotted paths; a name that holds dots stands in"
            " brackets. Empty: the API server's own bytes.",
            examples=[
                ["metadata.managedFields", "metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]"]
            ],
        ),
    ] = ()
    stale_after: Annotated[
        Staleness | None,
        Meta(
            description="How old a stream's position may become: from then on /readyz says that this replica is not"
            " ready, and why. More than verifyInterval, for a silent stream is as old as that.",
            examples=["5m", "1h"],
            extra={"default": "5m, or 2.5 times verifyInterval where that is longer"},
        ),
    ] = None

    mask: Annotated[
        Literal["secrets", "none"] | None,
        Meta(
            description="secrets: every value outside of metadata, and the annotations in which kubectl and other tools"
            " keep the whole object, becomes a salted digest; keys stay, and a change is seen. none: nothing is masked;"
            " for secrets a warning says so at every start.",
            examples=["secrets", "none"],
            extra={"default": "secrets for the resource secrets, none for all others"},
        ),
    ] = None

    @property
    def stream(self) -> str:
        """The stream's name, before a namespace is added."""
        return self.name or self.resource.lower()
