"""The states that the owner of a partition used last.

No other process writes them while it owns the partition, so what it wrote last is what is stored;
reading and parsing them for every step would take a fifth of the loop's time.
"""

from collections.abc import Container, Mapping, Sequence
from typing import Protocol

from connector.core.errors import Permanent
from connector.core.model import SubjectKey
from connector.core.states import State

UNREADABLE = "EVT-005"
MOST = 256
"""States of one partition; a few kilobytes each."""


class Stored(Protocol):
    """The one method of a journal that is needed here."""

    async def load(self, keys: Sequence[SubjectKey]) -> dict[SubjectKey, State]:
        """See :meth:`connector.core.journal.Journal.load`."""
        ...


class StateCache:
    """Reads states, from memory if they are there; call :meth:`forget` if they may be stale."""

    def __init__(self, journal: Stored, most: int = MOST) -> None:
        self._journal = journal
        self._most = most
        self._states: dict[SubjectKey, State] = {}

    async def load(self, keys: Sequence[SubjectKey]) -> dict[SubjectKey, State]:
        """The states of these subjects; unknown subjects are missing."""
        found = {key: self._states[key] for key in keys if key in self._states}
        if missing := [key for key in keys if key not in found]:
            found |= await self._journal.load(missing)
        self._keep(found)
        return found

    async def load_readable(
        self, keys: Sequence[SubjectKey]
    ) -> tuple[dict[SubjectKey, State], dict[SubjectKey, Permanent]]:
        """Like :meth:`load`; also the subjects whose state cannot be read, with the reason."""
        try:
            return await self.load(keys), {}
        except Permanent as error:
            if error.code != UNREADABLE:
                raise
        found: dict[SubjectKey, State] = {}
        unreadable: dict[SubjectKey, Permanent] = {}
        for key in keys:
            try:
                found |= await self.load([key])
            except Permanent as error:
                if error.code != UNREADABLE:
                    raise
                unreadable[key] = error
        return found, unreadable

    def written(self, states: Mapping[SubjectKey, State], gone: Container[SubjectKey]) -> None:
        """Note the states of a commit; ``gone`` are subjects that it removed."""
        for key in states:
            self._states.pop(key, None)
        self._keep({key: state for key, state in states.items() if key not in gone})

    def forget(self) -> None:
        """Empty the cache: what is stored may have changed."""
        self._states.clear()

    def _keep(self, states: Mapping[SubjectKey, State]) -> None:
        for key, state in states.items():
            self._states.pop(key, None)  # the newest is evicted last
            self._states[key] = state
        while len(self._states) > self._most:
            del self._states[next(iter(self._states))]
