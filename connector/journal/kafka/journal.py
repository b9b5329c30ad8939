"""The clustered journal: durable records in Kafka, queries on a local SQLite file."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from aiokafka.structs import TopicPartition

from connector.core.audit import AuditRecord, AuditRow
from connector.core.errors import Fault, Permanent, Transient
from connector.core.events import Event
from connector.core.journal import (
    Commands,
    Commit,
    DeadLetter,
    DeadLetterFilter,
    PartitionRecord,
    Positioned,
)
from connector.core.model import Millis, SubjectKey, is_partition
from connector.core.rows import KnownId
from connector.core.values import millis
from connector.journal import events, partitions
from connector.journal.database import Connection
from connector.journal.kafka import faults, trail
from connector.journal.kafka.brakes import Brakes
from connector.journal.kafka.clients import Clients
from connector.journal.kafka.cloudevents import outgoing
from connector.journal.kafka.end_offsets import EndOffsets
from connector.journal.kafka.follower import Follower
from connector.journal.kafka.inbox import Inbox
from connector.journal.kafka.local import LocalTables
from connector.journal.kafka.membership import Membership
from connector.journal.kafka.owner import Owner, Surroundings
from connector.journal.kafka.producer import Producer
from connector.journal.kafka.records import remembered
from connector.journal.kafka.subjects import Dropped
from connector.journal.kafka.transactions import Transactions
from connector.journal.queries import TableQueries
from connector.journal.settings import KafkaSettings

T = TypeVar("T")

RESTORING = 600.0
"""Seconds that reading all states may take at start."""
READ_PATIENCE = 0.05
CURRENT_WITHIN = 0.25
"""Seconds that a round may wait for the tables: what others have open takes a moment to end."""


class KafkaJournal(TableQueries):
    """The contract of :class:`connector.core.journal.Journal`, kept by a Kafka cluster.

    Every process appends for every subject and answers for every subject; rounds of a partition are
    committed by the one that took it over.
    """

    def __init__(
        self,
        options: KafkaSettings,
        *,
        local: Path,
        instance: str,
        monotonic: Callable[[], float],
        on_lost: Callable[[Permanent], None],
        read_patience: float = READ_PATIENCE,
    ) -> None:
        """Name the cluster and the local file; :meth:`open` connects.

        Args:
            options: cluster, topics, times.
            local: the file of the local tables; created at each start.
            instance: a name that no other process has or had, for its own transactional id.
            monotonic: seconds.
            on_lost: called once when the local tables failed (``JRN-002``): the process must end.
            read_patience: seconds that :meth:`read` waits for events that this process has written.
        """
        self._options = options
        self._count = options.partitions
        self._names = names = options.names
        self._limit = options.append_timeout.total_seconds()
        self._clients = clients = Clients(options)
        self._ends = EndOffsets(clients, self._limit)
        self._readable = EndOffsets(clients, self._limit, committed=True)
        self._local = LocalTables(local, self._count, monotonic=monotonic, on_lost=on_lost)
        self._producer = Producer(clients, monotonic, self._limit, options.queue_limit)
        own = Transactions(clients, f"{names.transactions}front-{instance}", self._limit)
        self._brakes = Brakes(own)
        self._owners: dict[int, Owner] = {}
        self._dropped_ids = Dropped()
        self._dropping: set[asyncio.Task[None]] = set()
        followed = self._ends, self._local, names.states, names.dead_letter
        self._follower = Follower(clients, *followed)
        places = [TopicPartition(self._names.events, number) for number in range(self._count)]
        both = self._ends, self._readable
        self._inbox = Inbox(clients, both, self._local, places, read_patience)
        self._membership = Membership(
            self._clients,
            self._names,
            session=millis(options.session_timeout),
            rebalance=millis(options.rebalance_timeout),
            changed=self._drop_others,
        )

    @property
    def partitions(self) -> int:
        """How many partitions it has."""
        return self._count

    async def open(self) -> None:
        """Connect, and fill the local tables. Topics are expected to be there.

        Raises:
            Transient: ``JRN-001`` when the cluster cannot be reached.
            Permanent: ``JRN-004`` when the local file cannot be made.
        """
        await self._local.open()
        try:
            await self._ends.start()
            await self._readable.start()
            await self._inbox.start()
            await self._follower.start(self._count, RESTORING)
            await self._producer.start()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Leave the group, finish rounds that run, and disconnect."""
        await self._membership.close()
        self._drop_others(frozenset())
        await self._dropped()
        await self._brakes.close()
        await self._producer.close()
        await self._inbox.close()
        await self._follower.close()
        await self._readable.close()
        await self._ends.close()
        await self._local.close()

    async def append(self, new: Sequence[Event]) -> list[bool]:
        """Make events durable; those to partitions all or none, the others each by itself."""
        self._local.opened()
        if not (records := [outgoing(event, self._names.events, self._count) for event in new]):
            return []
        if len(new) > 1 and any(is_partition(event.subject) for event in new):
            positions = await self._brakes.append(records)
        else:
            positions = await self._producer.append(records)
        for place, position in positions.items():
            self._inbox.expect(place.partition, position)
        return [True] * len(new)

    async def assigned(self, known: frozenset[int]) -> frozenset[int]:
        """The partitions that the group has given to this process."""
        return await self._membership.assigned(known)

    def share(self) -> tuple[int, int]:
        """How many partitions are this process's, and how many there are."""
        return len(self._membership.mine), self._count

    async def take_over(self, partition: int) -> PartitionRecord:
        """Fence the predecessor, catch up, and raise the owner epoch."""
        if not 0 <= partition < self._count:
            raise Permanent("JRN-005", f"taking over partition {partition}: there is none")
        self._local.opened()
        await self._dropped()
        owner = self._owners.get(partition) or Owner(partition, self._surroundings())
        self._owners[partition] = owner
        return await owner.take_over()

    async def commit(self, commit: Commit) -> None:
        """Write one round."""
        self._local.opened()
        owner = self._owners.get(commit.record.partition)
        if owner is None:
            raise faults.not_owner(commit.record.partition)
        await owner.commit(commit)

    async def read(self, partition: int, after: int, limit: int) -> list[Positioned | DeadLetter]:
        """The next events behind a position, each id of a subject once."""
        return await self._inbox.read(partition, after, limit)

    async def commands(self, partition: int, after: int, *, newest: bool = False) -> Commands:
        """Events to the partition itself, found ahead of what waits before them."""
        if newest:
            await self._inbox.look_to_the_end(partition)
        return await self._inbox.commands(partition, after)

    async def wait(self, partition: int, seconds: float) -> None:
        """Return when there may be new events."""
        self._local.opened()
        await self._inbox.wait(partition, seconds)

    async def current_records(self, own: Collection[int]) -> list[PartitionRecord] | None:
        """The partitions' own records, unless the tables are behind the topic for longer."""
        others = [number for number in range(self._count) if number not in own]
        if not await self._follower.is_current(others, CURRENT_WITHIN):
            return None
        return await self.records()

    async def consumed(self, subject: SubjectKey, name: str) -> bool:
        """Whether a subject remembers an id."""
        return await self._local.remembers(subject, name)

    async def known(self) -> AsyncIterator[KnownId]:
        """Ids that subjects remember."""
        async for subject, seen in self._local.remembering():
            for name, at in remembered(seen).items():
                yield KnownId(subject=subject, id=name, at=at)

    async def audit(self, partition: int, after: int = 0) -> AsyncIterator[AuditRecord]:
        """The audit records behind a sequence number that can be read."""
        async for row in self.audit_rows(partition, after):
            if row.record is not None:
                yield row.record

    async def audit_rows(self, partition: int, after: int = 0) -> AsyncIterator[AuditRow]:
        """The audit records behind a sequence number as they lie in the topic."""
        place = TopicPartition(self._names.audit, partition)
        async for row in trail.rows(self._clients, self._ends, place):
            if row.sequence > after:
                yield row

    async def dead_letters(self, query: DeadLetterFilter) -> list[DeadLetter]:
        """What could not be read and is not settled, by partition and position."""
        await self._follower.catch_up_letters(self._count, self._limit)
        return await self._local.ask_long(partial(partitions.dead_letters, query=query))

    def revive(self, letter: DeadLetter) -> Event:
        """Parse the event in a dead letter again."""
        return events.revive(letter, self._count)

    async def tidy(self, now: Millis) -> None:
        """Remove subjects without a state whose ids are older than their retention."""
        self.renew_logins()
        for owner in list(self._owners.values()):
            await owner.forget(now - millis(self._options.ids_kept))

    def renew_logins(self) -> None:
        """Have new connections use the mounted secrets as they are now; raises ``CFG-003``."""
        self._clients.renew()

    def reach(self) -> dict[str, bool]:
        """Whether the brokers could be read and written when that was tried last."""
        return {"brokers-read": not self._ends.failed, "brokers-written": not self._producer.failed}

    def trouble(self) -> Fault | None:
        """Why the brokers could not be reached when that was tried last."""
        fault = Transient("JRN-001", "the brokers cannot be read").fault()
        return fault if self._ends.failed else None

    async def probe(self) -> None:
        """See whether the brokers can be read; raises ``JRN-001``. Nothing is written."""
        await self._ends.of([TopicPartition(self._names.events, 0)])

    def load_of_appends(self) -> tuple[int, float]:
        """How many appended events wait for the brokers, and for how many seconds the oldest."""
        return self._producer.waiting, self._producer.age()

    async def unread(self) -> tuple[int, Millis | None]:
        """How many events wait here for a round of this process, and when the oldest came."""
        return self._inbox.unread()

    def take_ids_dropped(self) -> int:
        """How many ids of events subjects forgot before their time, since this was last asked."""
        return self._dropped_ids.take()

    async def _ask(self, query: Callable[[Connection], T]) -> T:
        return await self._local.ask(query)

    async def _ask_long(self, query: Callable[[Connection], T]) -> T:
        return await self._local.ask_long(query)

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            clients=self._clients,
            local=self._local,
            follower=self._follower,
            inbox=self._inbox,
            names=self._names,
            partitions=self._count,
            limit=self._limit,
            ids_kept=millis(self._options.ids_kept),
            dropped=self._dropped_ids,
        )

    def _drop_others(self, mine: frozenset[int]) -> None:
        """Drop the partitions that a new assignment did not give back."""
        gone = [self._owners.pop(number) for number in list(self._owners) if number not in mine]
        for owner in gone:
            self._dropping.add(task := asyncio.get_running_loop().create_task(owner.close()))
            task.add_done_callback(self._dropping.discard)

    async def _dropped(self) -> None:
        """Wait until the dropped partitions are closed."""
        if self._dropping:
            await asyncio.wait(set(self._dropping))
