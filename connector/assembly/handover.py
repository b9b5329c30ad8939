"""The hand-overs of a service, made from its settings."""

from connector.handover.parent import HandOver
from connector.settings.model import Settings


def hand_over(settings: Settings) -> HandOver:
    """What runs hand-overs; nothing is started yet."""
    return HandOver(
        accept_unlocked_memory=settings.handover.accept_unlocked_memory,
        memory_readable=settings.testing.memory_readable,
    )
