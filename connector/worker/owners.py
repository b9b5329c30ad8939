"""Who works on which partition: a worker for each that is assigned to this process."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

from connector.core.errors import ConnectorError, Family, Fault
from connector.core.journal import Journal, PartitionRecord
from connector.core.model import Millis
from connector.worker.loop import PartitionWorker
from connector.worker.partition_clock import Doubt

FIRST_PARTITION = 0
LOST = frozenset({"JRN-002", "JRN-017"})
NOT_NOW = "JRN-001"
OTHERS = "JRN-003"


Duties = Callable[[PartitionRecord], Coroutine[Any, Any, None]]
"""What is done once in the whole cluster, until it is cancelled, from a record taken over on."""


@dataclass(frozen=True, slots=True)
class OwnersOptions:
    """Times in seconds.

    ``soon``: until what the journal refused for now is tried again. ``again``: until a partition
    that had another owner is taken over again; it must be longer than it takes to hear that it was
    assigned to that owner, or the owner would be displaced. ``stopped``: until one that could
    not go on is tried again. ``drain``: longest time for the end of all workers.
    """

    soon: float = 1.0
    again: float = 15.0
    stopped: float = 60.0
    drain: float = 35.0


@dataclass(frozen=True, slots=True)
class Listeners:
    """Called when partitions come, stop or leave.

    ``owned``: how many are worked on now, ``stopped``: how many cannot go on. ``left``: a partition
    is worked on no more, for which fault, or because it was dropped or drained.
    """

    owned: Callable[[int], None] = lambda _count: None
    stopped: Callable[[int], None] = lambda _count: None
    left: Callable[[int, Fault | None], None] = lambda _partition, _fault: None


async def no_duties(_record: PartitionRecord) -> None:
    """Where nothing is done once for all."""


_NOBODY = Listeners()
_USUAL = OwnersOptions()


class _OverError(Exception):
    """Nothing is left to be done; what still uploads for others' partitions is cut off."""


class Owners:
    """Follows what the journal assigns to this process.

    A partition that comes is taken over and worked on; one that goes is dropped at once, without
    draining: another owns it already. Neither disturbs any other partition.

    Args:
        journal: assigns partitions.
        make: a new worker of a partition.
        duties: run beside the worker of partition 0.
        listeners: called at each change.
        options: see :class:`OwnersOptions`.
    """

    def __init__(
        self,
        journal: Journal,
        make: Callable[[int], PartitionWorker],
        *,
        duties: Duties = no_duties,
        listeners: Listeners = _NOBODY,
        options: OwnersOptions = _USUAL,
    ) -> None:
        self._journal = journal
        self._make = make
        self._duties = duties
        self._listeners = listeners
        self._options = options
        self._workers: dict[int, PartitionWorker] = {}
        self._keepers: dict[int, asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()
        self._changed = asyncio.Event()
        self.faults: dict[int, Fault] = {}
        """Partitions that are assigned to this process and cannot go on, with the reason."""

    @property
    def owned(self) -> frozenset[int]:
        """The partitions that are worked on."""
        return frozenset(self._workers)

    def time(self) -> Millis:
        """The earliest journal time of the partitions that are worked on; 0 where there is none.

        0 as well while one of them does not know what time it is.
        """
        if self.doubts():
            return 0
        return min((worker.now() for worker in self._workers.values()), default=0)

    def doubts(self) -> dict[int, Doubt]:
        """By partition, what the clocks say where it is not known what time it is."""
        told = {number: worker.time.doubt() for number, worker in self._workers.items()}
        return {number: doubt for number, doubt in told.items() if doubt is not None}

    def wake(self) -> None:
        """Let every worker look again at once."""
        for worker in self._workers.values():
            worker.wake()

    def stop(self) -> None:
        """Ask all workers to drain and end."""
        self._stopping.set()
        for worker in self._workers.values():
            worker.stop()

    async def until(self, holds: Callable[[frozenset[int]], bool]) -> None:
        """Wait until something holds of the partitions that are worked on."""
        while not holds(self.owned):
            self._changed.clear()
            await self._changed.wait()

    async def run(self) -> None:
        """Work on what is assigned until :meth:`stop`.

        Raises:
            Permanent: ``JRN-002`` when the journal is lost.
        """
        try:
            async with asyncio.TaskGroup() as acts:
                async with asyncio.TaskGroup() as group:
                    follower = group.create_task(self._follow(group, acts))
                    await self._stopping.wait()
                    follower.cancel()
                    await self._drained()
                raise _OverError  # noqa: TRY301 - leaving the group is what it is for
        except* _OverError:
            self._listeners.owned(0)

    async def _follow(self, group: asyncio.TaskGroup, acts: asyncio.TaskGroup) -> None:
        known: frozenset[int] = frozenset()
        while True:
            assigned = await self._assigned(known)
            for partition in known - assigned:
                self._drop(partition)
            for partition in sorted(assigned - known):
                self._keepers[partition] = group.create_task(self._keep(partition, acts))
            known = assigned

    async def _assigned(self, known: frozenset[int]) -> frozenset[int]:
        while True:
            try:
                return await self._journal.assigned(known)
            except ConnectorError as error:
                if error.code != NOT_NOW:
                    raise
            await asyncio.sleep(self._options.soon)

    def _drop(self, partition: int) -> None:
        """It is another's now."""
        self._keepers.pop(partition).cancel()
        if self.faults.pop(partition, None):
            self._listeners.stopped(len(self.faults))

    async def _drained(self) -> None:
        for partition, keeper in self._keepers.items():
            if partition not in self._workers:
                keeper.cancel()
        if self._keepers:
            await asyncio.wait(self._keepers.values(), timeout=self._options.drain)
        for keeper in self._keepers.values():
            keeper.cancel()

    async def _keep(self, partition: int, acts: asyncio.TaskGroup) -> None:
        """Work on a partition until it is dropped or drained; after a fault, take it over again."""
        while not self._stopping.is_set():
            worker = self._make(partition)
            fault: Fault | None = None
            try:
                await self._own(partition, worker, acts)
            except Exception as error:
                fault = self._known(error)
                if fault is None or fault.code in LOST:
                    raise
            finally:
                self._leave(partition, worker, fault)
            if fault is not None:
                await self._rest(self._pause(fault))

    async def _own(self, partition: int, worker: PartitionWorker, acts: asyncio.TaskGroup) -> None:
        await worker.take_over()
        if self._stopping.is_set():
            return
        self._enter(partition, worker)
        async with asyncio.TaskGroup() as group:
            first = partition == FIRST_PARTITION
            duties = [group.create_task(self._duties(worker.record))] if first else []
            await worker.turn(acts)
            for duty in duties:
                duty.cancel()

    def _enter(self, partition: int, worker: PartitionWorker) -> None:
        self._workers[partition] = worker
        self.faults.pop(partition, None)
        self._tell()

    def _leave(self, partition: int, worker: PartitionWorker, fault: Fault | None) -> None:
        if self._workers.get(partition) is worker:
            del self._workers[partition]
        if fault is not None and fault.family is Family.PERMANENT:
            self.faults[partition] = fault
        self._listeners.left(partition, fault)
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._listeners.owned(len(self._workers))
        self._listeners.stopped(len(self.faults))

    def _pause(self, fault: Fault) -> float:
        if fault.family is Family.PERMANENT:
            return self._options.stopped
        return self._options.again if fault.code == OTHERS else self._options.soon

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    @staticmethod
    def _known(error: BaseException) -> Fault | None:
        """The fault behind all that a worker ended with; None when one part of it is unforeseen."""
        leaves = list(_leaves(error))
        faults = [leaf.fault() for leaf in leaves if isinstance(leaf, ConnectorError)]
        if len(faults) < len(leaves):
            return None
        return next((one for one in faults if one.code in LOST), faults[0])


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
