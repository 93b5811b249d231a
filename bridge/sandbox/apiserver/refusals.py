"""How the server says no: a Status document, in the words of the real one (all measured on kube-apiserver 1.37)."""

from typing import Any

Object = dict[str, Any]
"""A JSON object as it is stored and sent. What is in the store is never changed in place."""

DNS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
CONTINUE_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


class RefusalError(Exception):
    """A request that is refused: *status* is the whole document, its code is HTTP's."""

    def __init__(self, status: Object) -> None:
        self.status = status
        self.code: int = status["code"]
        super().__init__(status["message"])


def failure(code: int, reason: str, message: str, details: Object | None = None) -> RefusalError:
    status: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    if reason:
        status["reason"] = reason
    if details is not None:
        status["details"] = details
    status["code"] = code
    return RefusalError(status)


def _details(group: str, kind: str, name: str = "", **more: object) -> Object:
    named = {"name": name} if name else {}
    return named | ({"group": group} if group else {}) | {"kind": kind} | more


def _qualified(group: str, plural: str) -> str:
    return f"{plural}.{group}" if group else plural


def bad_request(message: str) -> RefusalError:
    return failure(400, "BadRequest", message)


def unauthorized() -> RefusalError:
    return failure(401, "Unauthorized", "Unauthorized")


def forbidden(group: str, plural: str, name: str, why: str) -> RefusalError:
    what = f'{_qualified(group, plural)} "{name}"' if name else _qualified(group, plural)
    return failure(403, "Forbidden", f"{what} is forbidden: {why}", _details(group, plural, name))


def not_served() -> RefusalError:
    """The group version is served, this resource of it is not."""
    return failure(404, "NotFound", "the server could not find the requested resource", {})


def not_found(group: str, plural: str, name: str) -> RefusalError:
    message = f'{_qualified(group, plural)} "{name}" not found'
    return failure(404, "NotFound", message, _details(group, plural, name))


def not_allowed() -> RefusalError:
    message = "the server does not allow this method on the requested resource"
    return failure(405, "MethodNotAllowed", message, {})


def not_acceptable() -> RefusalError:
    return failure(406, "NotAcceptable", "only the following media types are accepted: application/json", {})


def already_exists(group: str, plural: str, name: str) -> RefusalError:
    message = f'{_qualified(group, plural)} "{name}" already exists'
    return failure(409, "AlreadyExists", message, _details(group, plural, name))


def conflict(group: str, plural: str, name: str, why: str = "") -> RefusalError:
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {_qualified(group, plural)} "{name}": {why}'
    return failure(409, "Conflict", message, _details(group, plural, name))


def unsupported_media() -> RefusalError:
    return failure(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})


def invalid(group: str, kind: str, name: str, field: str, problem: str) -> RefusalError:
    """*problem* begins with what sort it is: `Required value: ...`, `Invalid value: ...`, `Forbidden: ...`."""
    sorts = {
        "Required value": "FieldValueRequired",
        "Forbidden": "FieldValueForbidden",
        "Unsupported value": "FieldValueNotSupported",
    }
    cause = {
        "reason": sorts.get(problem.partition(":")[0], "FieldValueInvalid"),
        "message": problem,
        "field": field,
    }
    message = f'{_qualified(group, kind)} "{name}" is invalid: {field}: {problem}'
    return failure(422, "Invalid", message, _details(group, kind, name, causes=[cause]))


def bad_option(field: str, problem: str, options: str = "ListOptions") -> RefusalError:
    return invalid("meta.k8s.io", options, "", field, problem)


def watch_too_old(version: int, oldest: int) -> RefusalError:
    """In the words of the watch cache."""
    return failure(410, "Expired", f"too old resource version: {version} ({oldest})")


def too_old(what: str) -> RefusalError:
    """In the words of etcd; *what* is `watch` or `list`."""
    return failure(410, "Expired", f"The resourceVersion for the provided {what} is too old.")


def continue_too_old(token: str) -> RefusalError:
    """With a token in it, for those who can do with a list that is not of one moment."""
    error = failure(410, "Expired", CONTINUE_TOO_OLD)
    error.status["metadata"] = {"continue": token}
    return error


def too_large(version: int, current: int, cached: bool) -> RefusalError:
    """A version that was not handed out yet. The hint when to come again is the watch cache's."""
    details: Object = {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]}
    if cached:
        details["retryAfterSeconds"] = 1
    message = f"Timeout: Too large resource version: {version}, current: {current}"
    return failure(504, "Timeout", message, details)
