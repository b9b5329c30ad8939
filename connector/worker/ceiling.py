"""The ceiling on keys disclosed per hour, over all partitions and all processes (promise 10).

Each partition's record counts what was disclosed there. A process that owns all partitions knows
every count exactly. Any other process reads the records of the partitions that it does not own and
takes its share of what is left; while those records may be out of date, it takes nothing.

What another process took and has not committed yet cannot be seen here. So that it is not given out
twice, a share may be used for :data:`VALID` seconds only, and the next one is computed
:data:`QUIET` seconds after the last use of it: by then all others know of that use, shares that
they computed without it have ended, and what they took from those is known here. Far below the
ceiling this is not needed: there only a small part is shared out at a time, and several such parts
together do not reach the ceiling.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection

from connector.core.journal import PartitionRecord
from connector.core.model import Millis
from connector.core.states import Brakes
from connector.worker import brakes
from connector.worker.share import Owned, keys_of

LAG = 1.0
"""How long a use may take to be durable and known to the other processes, in seconds."""
VALID = 1.0
QUIET = LAG + VALID + LAG
SMALL_PART = 8
"""While half of the ceiling is left, an eighth of it is shared out at a time."""

FIRST_PARTITION = 0


class Ceiling:
    """Limits how many more keys this process may disclose now.

    Args:
        limit: maximum number of keys within an hour.
        records: all partitions' records; None while those of other owners (the argument: the
            partitions owned here) may be out of date.
        share: number of owned partitions, and of all.
        monotonic: seconds.
    """

    def __init__(
        self,
        limit: int,
        records: Callable[[Collection[int]], Awaitable[list[PartitionRecord] | None]],
        share: Callable[[], Owned],
        monotonic: Callable[[], float],
    ) -> None:
        self.limit = limit
        self._records = records
        self._share = share
        self._monotonic = monotonic
        self._own: dict[int, Brakes] = {}
        self._pending: Counter[int] = Counter()
        self._granted = 0
        self._until = self._used_at = monotonic() - QUIET
        self._renewing = asyncio.Lock()

    def committed(self, record: PartitionRecord) -> None:
        """Note a partition's committed record, which counts what was taken for it."""
        self._own[record.partition] = record.brakes
        self._pending.pop(record.partition, None)

    def withdrawn(self, partition: int) -> None:
        """Give back what was taken for a partition since its last commit."""
        self._pending.pop(partition, None)

    def dropped(self, partition: int) -> None:
        """Forget a partition that has another owner now."""
        self._own.pop(partition, None)
        self._pending.pop(partition, None)

    async def take(self, partition: int, keys: int, now: Millis) -> bool:
        """Take ``keys`` for a hand-over; False while not enough are left."""
        owned, every = self._share()
        if owned == every == len(self._own):
            if keys > self._left(self._own, now):
                return False
        elif not await self._granted_for(keys, now):
            return False
        self._pending[partition] += keys
        return True

    async def _granted_for(self, keys: int, now: Millis) -> bool:
        async with self._renewing:
            if self._monotonic() >= self._until:
                await self._renew(keys, now)
        if keys > self._granted:
            return False
        self._granted -= keys
        self._used_at = self._monotonic()
        return True

    async def _renew(self, keys: int, now: Millis) -> None:
        self._granted = 0
        asked = self._monotonic()
        records = await self._records(self._own)
        if records is None:
            self._until = asked + VALID
            return
        known = {one.partition: one.brakes for one in records}
        left = self._left(known | self._own, now)
        part = self._part(self.limit // SMALL_PART)
        if 2 * left <= self.limit or part < keys:
            if self._monotonic() < self._used_at + QUIET:
                return
            part = self._part(left)
        self._granted = part
        self._until = asked + VALID

    def _part(self, left: int) -> int:
        return keys_of(left, self._share(), first=FIRST_PARTITION in self._own)

    def _left(self, known: dict[int, Brakes], now: Millis) -> int:
        spent = sum(brakes.disclosed(one, now) for one in known.values())
        return self.limit - spent - self._pending.total()
