from bridge.config.streams import StreamSpec, streams
from tests.config.reading import KAFKA, read


def test_a_watch_is_one_stream_or_one_per_namespace() -> None:
    """The stream's name is in every record: consumers and operators must be able to tell it from the file."""
    config = read(KAFKA + "watches: [{resource: po}, {name: web, resource: pods, namespaces: [team-a, team-b]}]")

    po, web = config.watches
    assert streams(config) == [
        StreamSpec("po", po, None),
        StreamSpec("web.team-a", web, "team-a"),
        StreamSpec("web.team-b", web, "team-b"),
    ]
