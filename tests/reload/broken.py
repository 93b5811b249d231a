"""Files that somebody might save while the bridge runs, and how each answer begins, after the file's name."""

from bridge.config.load import RESTART

EVERY = (
    "name, cluster, kubernetes, kafka, topics, checkpoints, standalone, group, buffer, progressInterval, verifyInterval"
)
OF_WATCHES = "name, resource, namespaces, labelSelector, fieldSelector, types, topic, format, drop, staleAfter, mask"
NEEDS = f"has changed, which needs a restart. {RESTART}"


def broken(good: str) -> list[tuple[str, str]]:
    """*good* has one watch, of configmaps, in its seventh and last line."""
    return [
        ("", "1: the file is empty. Begin with config/minimal.yaml."),
        ("nothing but words\n", "1: the file must hold fields. Begin with config/minimal.yaml."),
        (good.partition("watches:")[0] + "watches: []\n", "6: watches: is an empty list. Give it at least one entry."),
        (good.replace("standalone: true", "standalone: false"), f"1: standalone: {NEEDS}"),
        (good.replace("{partitions: 4}", "{partitions: 5}"), f"5: checkpoints.partitions: {NEEDS}"),
        *((good + line, f"8: {answer}") for line, answer in LINES.items()),
    ]


LINES = {
    "\tx: y\n": "not valid YAML at column 1: found character '\\t' that cannot start any token. Indent with spaces.",
    "watch: []\n": "watch: unknown field. Did you mean 'watches'?",
    "anything: 1\n": f"anything: unknown field. Possible are {EVERY}, watches, http, log.",
    "kafka: {}\n": "kafka: given twice, first on line 2. Keep one of the two.",
    "http: {listen: 127.0.0.1:1}\n": f"http.listen: {NEEDS}",
    "log: {level: loud}\n": "log.level: 'loud' is not possible here. Possible are debug, error, info, warning.",
    "buffer: lots\n": "buffer: 'lots': not a size. Write a number and a unit",
    "buffer: 10KiB\n": "buffer: '10KiB' is too small. Write a value from 1MiB to 64GiB.",
    "progressInterval: 5\n": "progressInterval: 5: a duration needs a unit. Write 5s for seconds",
    "- x\n": f"watches[1]: must be a mapping, but is text. Indent its fields under it: {OF_WATCHES}.",
    "- {topic: x}\n": "watches[1].resource: is missing. Add it: resource: pods",
    "- {resource: configmaps}\n": "watches[1].resource: a stream called configmaps is made by watches[0] already.",
    "- {resource: pods, name: A}\n": "watches[1].name: 'A' is not a stream's name. Use lower-case letters,",
    "- {resource: pods, topic: 'a b'}\n": "watches[1].topic: a topic name cannot hold ' '. Use letters, digits,",
    "- {resource: pods, topic: '{kind}'}\n": "watches[1].topic: {kind} is not a placeholder. Possible are",
    "- {resource: pods, types: []}\n": "watches[1].types: is an empty list. Give it at least one entry.",
    "- {resource: pods, drop: [kind]}\n": "watches[1].drop[0]: kind cannot be dropped: consumers need it",
    "- {resource: pods, labelSelector: 'app in ('}\n": "watches[1].labelSelector: is no selector: the values of 'in'",
    "- {resource: pods, fieldSelector: phase}\n": "watches[1].fieldSelector: is no selector: each part of it",
    "- {resource: ${NOPE}}\n": "not valid YAML at column 15: expected ',' or '}', but got '{'. Inside [ ] and { }",
    "- {resource: '${NOPE}'}\n": "watches[1].resource: the environment variable NOPE is not set. Set NOPE,",
    "- {resource: {file: nowhere}}\n": "watches[1].resource: cannot read the file",
}
"""At the end of the good file."""
