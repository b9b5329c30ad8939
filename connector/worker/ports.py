"""What the loop needs to have effects performed, as protocols."""

from collections.abc import Callable, Collection
from typing import Protocol

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
        """End those of my processes that have not begun to upload."""
        ...


class Effects(Protocol):
    """What the loop needs to have effects performed."""

    async def look(self, effect: Effect, state: Subject, now: Millis) -> Looked:
        """Read something; the fact carries the state's version.

        ``now``: journal time of the round that started it, for all that is judged on the way.
        """
        ...

    async def act(self, state: HolderState, running: Running, deadline: float) -> Acted:
        """Do what ``running`` says; the fact carries its attempt.

        ``deadline``: seconds on the monotonic clock, counted from before ``running`` was committed.
        Whatever happens in between, nothing is begun after it.
        """
        ...

    async def probe(self, upstream: str) -> Fault | None:
        """One cheap request to ``ca:NAME`` or ``uem:NAME``: what keeps it from answering?"""
        ...

    def hold(self, keys: Collection[SubjectKey]) -> None:
        """End what has not begun to upload for these holders: a brake, or another owner."""
        ...
