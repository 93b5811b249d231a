"""What happens to a cluster, as values: whoever tells a story says these, and who has a cluster applies them."""

from msgspec import Struct

from bridge.sandbox.apiserver.refusals import Object, RefusalError
from bridge.sandbox.apiserver.server import ApiServer


class Create(Struct, frozen=True):
    """*resource* as kubectl writes it."""

    resource: str
    body: Object


class Update(Struct, frozen=True):
    """The whole object as it is now, status included."""

    resource: str
    body: Object


class Delete(Struct, frozen=True):
    resource: str
    namespace: str
    name: str


Operation = Create | Update | Delete


def apply(operation: Operation, server: ApiServer) -> bool:
    """False: the server refused. Somebody else has deleted what it was about, or made it before."""
    try:
        match operation:
            case Create(resource, body):
                server.create(resource, body)
            case Update(resource, body):
                server.update(resource, body)
            case Delete(resource, namespace, name):
                server.delete(resource, namespace, name)
    except RefusalError:
        return False
    return True
