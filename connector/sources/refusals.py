"""Notifications that were refused lately, by sender and code, for operators."""

from collections import deque
from collections.abc import Collection
from typing import Final, NamedTuple

from connector.core.model import Millis
from connector.core.ports import Clock

MINUTE: Final = 60.0
MINUTES: Final = 60
"""How long a refusal is remembered."""


class Refused(NamedTuple):
    """Refusals within the last hour: of a sender in the settings (else empty), since the first."""

    sender: str
    code: str
    number: int
    since: Millis


class _Minute(NamedTuple):
    """The refusals of one minute of the monotonic clock."""

    start: int
    number: int
    since: Millis


class Refusals:
    """Counts refusals of this process. Bounded: names that strangers make up are counted as one.

    Args:
        clock: the time of a refusal, and how long ago it was.
        senders: the names in the settings.
    """

    def __init__(self, clock: Clock, senders: Collection[str]) -> None:
        self._clock = clock
        self._senders = frozenset(senders)
        self._by_key: dict[tuple[str, str], deque[_Minute]] = {}

    def known(self, sender: str) -> str:
        """The name of a sender, or nothing for one that is not in the settings."""
        return sender if sender in self._senders else ""

    def note(self, sender: str, code: str) -> None:
        """Count a refusal."""
        now, at = self._minute(), self._clock.now()
        minutes = self._by_key.setdefault((self.known(sender), code), deque(maxlen=MINUTES))
        if minutes and minutes[-1].start == now:
            minutes[-1] = minutes[-1]._replace(number=minutes[-1].number + 1)
        else:
            minutes.append(_Minute(now, 1, at))

    def standing(self) -> list[Refused]:
        """The refusals of the last hour."""
        oldest = self._minute() - MINUTES
        found: list[Refused] = []
        for (sender, code), minutes in self._by_key.items():
            late = [one for one in minutes if one.start > oldest]
            if late:
                number = sum(one.number for one in late)
                found.append(Refused(sender, code, number, late[0].since))
        return found

    def _minute(self) -> int:
        return int(self._clock.monotonic() // MINUTE)
