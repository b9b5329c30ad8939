"""The record of every request that the escrow API received, for tests from outside."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from connector_testkit.simulators.ca.commands import LedgerEntry, Lie, Operation


class Ledger:
    """Entries in the order of arrival; an entry is there before its request is answered."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._entries: list[LedgerEntry] = []
        self._counts: Counter[Operation] = Counter()
        self._grown = asyncio.Condition()

    async def enter(
        self,
        operation: Operation,
        *,
        client: str,
        person: str | None,
        fingerprint: str | None,
        request_id: str | None,
        lie: Lie | None,
    ) -> int:
        """Write a new entry down; its number is what :meth:`answered` takes."""
        number = len(self._entries)
        entry = LedgerEntry(
            number=number,
            at=self._now(),
            operation=operation,
            client=client,
            person=person,
            fingerprint=fingerprint,
            request_id=request_id,
            lie=lie,
            status=None,
        )
        self._entries.append(entry)
        self._counts[operation] += 1
        async with self._grown:
            self._grown.notify_all()
        return number

    def answered(self, number: int, status: int) -> None:
        """Note the status that entry ``number`` was answered with."""
        self._entries[number] = self._entries[number].model_copy(update={"status": status})

    def since(self, number: int) -> list[LedgerEntry]:
        """All entries from ``number`` on."""
        return self._entries[number:]

    async def wait(self, operation: Operation, count: int) -> int:
        """Wait until at least ``count`` requests of this kind arrived; how many there are."""
        async with self._grown:
            await self._grown.wait_for(lambda: self._counts[operation] >= count)
        return self._counts[operation]
