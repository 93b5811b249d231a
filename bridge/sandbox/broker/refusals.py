"""The answer to a request that was not looked at: an error everywhere that one has room.

It has the request's shape, per topic and partition where that was asked, so that a client finds what it asked for.
"""

from typing import Any

from aiokafka.protocol.types import Array, Bytes, Schema, String, TaggedFields, ValueT

from bridge.sandbox.broker.apis import Fields, Request, empty

NAMED = ("topic", "topics", "partition", "resource_type", "resource_name", "group", "group_id", "transactional_id")
"""Fields of an answer that repeat what the request named. Fetch calls a topic's name "topics"."""


def refusal(request: Request, code: int) -> Fields:
    schema = request.api.requests[request.version].RESPONSE_TYPE.SCHEMA
    return {"throttle_time_ms": 0} | _struct(schema, request.fields, code)


def overridden(answer: Any, code: int) -> Any:  # noqa: ANN401 - fields, lists of them, and what is in them
    """*answer* with every error code replaced."""
    match answer:
        case dict():
            return {key: code if key == "error_code" else overridden(value, code) for key, value in answer.items()}
        case list():
            return [overridden(each, code) for each in answer]
        case _:
            return answer


def _struct(schema: Schema, asked: Any, code: int) -> Fields:  # noqa: ANN401 - fields, or a bare name or number
    return {
        name: code if name == "error_code" else _value(name, kind, asked, code)
        for name, kind in zip(schema.names, schema.fields, strict=True)
        if name != "throttle_time_ms"
    }


def _value(name: str, kind: ValueT, asked: Any, code: int) -> Any:  # noqa: ANN401
    match kind:
        case Array(array_of=Schema() as item) if _fails(item):
            return [_struct(item, each, code) for each in _items(asked)]
        case Array():
            return []
        case _ if name in NAMED:
            return asked.get(name, asked.get("topic")) if isinstance(asked, dict) else asked
        case String():
            return ""
        case _ if kind is Bytes or kind is TaggedFields:
            return empty(kind)
        case _:
            return -1


def _fails(schema: Schema) -> bool:
    inner = (kind.array_of for kind in schema.fields if isinstance(kind, Array))
    return "error_code" in schema.names or any(isinstance(item, Schema) and _fails(item) for item in inner)


def _items(asked: Any) -> list[Any]:  # noqa: ANN401
    """What the request lists: its first array is the one that the answer's stands for."""
    lists = (value for value in asked.values() if isinstance(value, list)) if isinstance(asked, dict) else iter(())
    return next(lists, [])
