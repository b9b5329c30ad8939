"""What a state waits for: the effects that are due, and when."""

from enum import StrEnum

from connector.core.model import Millis, Record


class Effect(StrEnum):
    """The effects that a state can ask for. Acts change something outside; looks only read."""

    LOOK_UP_DEVICE = "look_up_device"
    LOOK_UP = "look_up"
    LIST = "list"
    BEGIN = "begin"
    LOOK_REQUESTS = "look_requests"
    HAND_OVER = "hand_over"
    PUSH = "push"
    LOOK_INSTALLED = "look_installed"
    LOOK_GONE = "look_gone"
    CLEAN_UP = "clean_up"
    WAIT = "wait"


ACTS = frozenset({Effect.BEGIN, Effect.HAND_OVER, Effect.PUSH, Effect.CLEAN_UP})
"""Effects that go by permit, ``running`` and audit before they are done."""

ASKS_CA = frozenset(
    {Effect.LIST, Effect.BEGIN, Effect.LOOK_REQUESTS, Effect.CLEAN_UP, Effect.HAND_OVER}
)
ASKS_UEM = frozenset(
    {
        *(Effect.LOOK_UP_DEVICE, Effect.LOOK_UP, Effect.HAND_OVER),
        *(Effect.PUSH, Effect.LOOK_INSTALLED, Effect.LOOK_GONE),
    }
)
"""Which upstreams an effect asks; a hand-over asks both."""

ONLY_CA = ASKS_CA - ASKS_UEM


class Want(Record):
    """An effect that a state asks for, and when it is due (journal time).

    A state has few wants, at most one per concern (the delivery, the copy, a check, a deadline), so
    that a brake or an outage that holds one back does not hold back the others. ``lane`` is
    ``effect:route`` (``effect:@uem`` where no route is involved): what is held back together.
    """

    effect: Effect
    due: Millis
    lane: str


class Looks(Record):
    """Looks that found nothing new and have no audit record of their own yet.

    ``counts``: how many there were since ``since``, by action and outcome.
    """

    since: Millis
    counts: dict[str, int]
