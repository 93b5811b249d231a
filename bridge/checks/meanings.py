"""What the resources of the watches are: asked of the API server, or read by the rules where it cannot be asked."""

from msgspec import Struct

from bridge.config.problem import ConfigError
from bridge.config.tree import Config
from bridge.rights.meaning import Meant, meant, read
from bridge.source.discovery import Found, NotFound, find
from bridge.source.faults import Fault
from bridge.source.session import Session, connect


class Meanings(Struct, frozen=True):
    """*found* has every resource of the file that could be told, *problems* why the others could not.

    *cluster* is the cluster's name in the records, None if it is not known. *source* says who was asked, for people.
    """

    found: dict[str, Meant]
    problems: tuple[str, ...]
    cluster: str | None
    source: str


OFFLINE = "no API server was asked"


async def meanings(config: Config, *, offline: bool) -> Meanings:
    """Of every watch in the file."""
    if offline:
        return _read(config, f"{OFFLINE} (--offline)")
    try:
        session = await connect(config.kubernetes)
    except ConfigError as error:
        return _read(config, f"{OFFLINE}: {error}")
    try:
        return await _asked(config, session)
    finally:
        await session.close()


async def _asked(config: Config, session: Session) -> Meanings:
    found: dict[str, Meant] = {}
    problems: list[str] = []
    for name in dict.fromkeys(watch.resource for watch in config.watches):
        match await find(session, name):
            case Fault() as fault:
                return _read(config, f"{OFFLINE}: {fault.message or f'{session.server} answered {fault.status}'}")
            case Found(resource):
                found[name] = meant(resource)
            case NotFound(message):
                guess = read(name)
                if guess is not None and guess.doubt:
                    found[name] = Meant(guess.group, guess.plural, guess.version, doubt=message)
                else:
                    problems.append(message)
    uid = await session.cluster_uid() if config.cluster is None else ""
    cluster = config.cluster or (uid if isinstance(uid, str) else "") or None
    return Meanings(found, tuple(problems), cluster, f"resources as {session.server} has them")


def _read(config: Config, why: str) -> Meanings:
    names = dict.fromkeys(watch.resource for watch in config.watches)
    found = {name: guess for name in names if (guess := read(name)) is not None}
    mend = "Write it with its group, such as widgets.example.com, or let this command reach the API server."
    problems = tuple(f"{name} is no built-in resource, and {why}. {mend}" for name in names if name not in found)
    return Meanings(found, problems, config.cluster, why)
