"""Protocols through which the loop has effects performed."""

from collections.abc import Callable, Collection
from typing import Any, Protocol

from connector.core.errors import Fault
from connector.core.facts import Acted, Looked
from connector.core.handover import HandoverJob, HandoverOutcome
from connector.core.model import Millis, SubjectKey
from connector.core.states import DeviceState, Effect, HolderState, PersonState, Running

Subject = HolderState | DeviceState | PersonState


class HandOver(Protocol):
    """Starts hand-over processes."""

    async def run(
        self, job: HandoverJob, limit: float, deadline: float | None = None
    ) -> HandoverOutcome:
        """Do one hand-over within ``limit`` seconds, or until a moment of the monotonic clock.

        Never raises a connector error.
        """
        ...

    def cancel_unsent(self, mine: Callable[[HandoverJob], bool] = ...) -> None:
        """End those processes whose job ``mine`` accepts and that have not started to upload."""
        ...


class Effects(Protocol):
    """Performs looks, acts and probes."""

    async def look(self, effect: Effect, state: Subject, now: Millis) -> Looked[Any]:
        """Perform a look; the fact carries the state's version.

        ``now``: journal time of the round that started it, used for all decisions in it.
        """
        ...

    async def act(self, key: SubjectKey, running: Running, deadline: float) -> Acted:
        """Do for a holder what ``running`` says; the fact carries its attempt.

        ``deadline``: seconds on the monotonic clock, counted from before ``running`` was committed.
        Nothing is begun after it, even if the start was delayed.
        """
        ...

    async def probe(self, upstream: str) -> Fault | None:
        """Send ``ca:NAME`` or ``uem:NAME`` its probe; the fault, None if it is answered."""
        ...

    def hold(self, keys: Collection[SubjectKey]) -> None:
        """End hand-overs for these holders that have not started to upload."""
        ...
