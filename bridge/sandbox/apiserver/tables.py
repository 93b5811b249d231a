"""The tables that kubectl prints."""

from collections.abc import Callable, Sequence

from bridge.sandbox.apiserver.columns import COLUMNS, PLAIN, Column
from bridge.sandbox.apiserver.refusals import Object
from bridge.sandbox.apiserver.resources import Resource

Included = Callable[[Object], Object | None]
"""What of an object a row has beside its cells."""


def table(resource: Resource, items: Sequence[Object], metadata: Object, included: Included) -> Object:
    columns = COLUMNS.get(resource.name, PLAIN)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [_definition(column) for column in columns],
        "rows": [{"cells": [_said(column, body) for column in columns], "object": included(body)} for body in items],
    }


def _definition(column: Column) -> Object:
    return {
        "name": column.name,
        "type": column.kind,
        "format": "name" if column.name == "Name" and not column.wide else "",
        "description": column.name,
        "priority": int(column.wide),
    }


def _said(column: Column, body: Object) -> object:
    """Objects of clients may hold anything where a column looks."""
    try:
        return column.cell(body)
    except (AttributeError, KeyError, TypeError, ValueError):
        return "<unknown>"
