"""The hand-overs of a service, made from its settings."""

from collections.abc import Callable

from connector.handover.parent import HandOver
from connector.settings.model import Settings
from connector.upstream import RequestLimit


def hand_over(settings: Settings, permits: Callable[[str], RequestLimit]) -> HandOver:
    """What runs hand-overs; nothing is started yet.

    ``permits``: the limit of the requests to an upstream, from which those of the processes go off.
    """
    return HandOver(
        accept_unlocked_memory=settings.handover.accept_unlocked_memory,
        requested=lambda upstream: permits(upstream).spend(),
        memory_readable=settings.testing.memory_readable,
    )
