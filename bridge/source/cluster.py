"""Which cluster answers, asked until it does."""

import asyncio

from bridge.retry import Backoff
from bridge.source.delay import Delay
from bridge.source.faults import Fault, Reauth, classify
from bridge.source.session import Session


async def cluster_uid(session: Session, delay: Delay) -> str:
    """The uid of namespace kube-system: what tells this cluster from another behind the same address.

    Waits until the API server answers, and tells so through *delay*.
    """
    backoff = Backoff()
    while isinstance(uid := await session.cluster_uid(), Fault):
        if isinstance(classify(uid), Reauth):
            session.reauthenticate()
        delay.goes_on(uid)
        await asyncio.sleep(backoff.next())
    return uid
