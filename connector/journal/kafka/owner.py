"""One partition while this process owns it: its fence, its guards, its rounds."""

import asyncio
from dataclasses import dataclass

from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.structs import TopicPartition

from connector.core.errors import ConnectorError, Permanent, Transient
from connector.core.journal import Commit, PartitionRecord
from connector.core.model import Millis
from connector.journal import rounds
from connector.journal.kafka import faults, records, subjects
from connector.journal.kafka.clients import Clients
from connector.journal.kafka.cloudevents import Outgoing
from connector.journal.kafka.follower import Follower
from connector.journal.kafka.inbox import Inbox
from connector.journal.kafka.local import Changes, LocalTables
from connector.journal.kafka.names import Names
from connector.journal.kafka.packing import pack, too_large
from connector.journal.kafka.partition_buffer import Consumed
from connector.journal.kafka.transactions import (
    Fenced,
    InDoubt,
    NotWritten,
    Refused,
    Transactions,
)
from connector.journal.partitions import check_behind

_RETRIES = 3
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the owners of one process share. ``limit``: seconds for one step of the cluster."""

    clients: Clients
    local: LocalTables
    follower: Follower
    inbox: Inbox
    names: Names
    partitions: int
    limit: float
    ids_kept: Millis
    dropped: subjects.Dropped


class Owner:
    """Takes a partition over and commits its rounds, one after another.

    Three guards keep a former owner out: the broker refuses its producer once a newer one has begun
    with the same transactional id; readers refuse its epoch; and a late record has a version that
    is not newer.
    """

    def __init__(self, partition: int, around: Surroundings) -> None:
        self._partition = partition
        self._around = around
        identifier = around.names.transactional_id(partition)
        self._transactions = Transactions(around.clients, identifier, around.limit)
        self._offset = -1
        self._turn = asyncio.Lock()
        self._record = PartitionRecord(partition=partition)
        self._lost = False

    async def take_over(self) -> PartitionRecord:
        """Fence the previous owner, catch up, and raise the epoch.

        Raises:
            Transient: ``JRN-001`` when the cluster does not let that happen now, ``JRN-003`` when
                another owner was quicker.
            Permanent: ``JRN-007`` when a newer program has written here.
        """
        async with self._turn:
            await self._begin()
            known = await self._around.local.record(self._partition)
            source = self._around.local.source(self._partition, known.epoch)
            position = max(known.position, source)
            position = await self._around.inbox.fitting(self._partition, position)
            self._record = known.model_copy(update={"epoch": known.epoch + 1, "position": position})
            self._lost = False
            await self._write_alone([], self._around.local.own_seen(self._partition))
            await self._around.inbox.begin(self._partition, self._record.position)
            return self._record

    async def commit(self, commit: Commit) -> None:
        """Write one round in one transaction, then into the local tables.

        Raises:
            Transient: ``JRN-001`` when it was not written, ``JRN-003`` when this is not the owner
                any more, or cannot tell whether it was written: then it has to take over again.
            Permanent: ``JRN-006`` when the round contradicts what is stored.
            TooLarge: when a record is larger than the cluster takes.
        """
        async with self._turn:
            self._check(commit)
            ready = await rounds.prepare(commit, self._around.partitions)
            try:
                await self._commit(ready)
            except Refused:  # which record it was shows when each is sent by itself
                await self._commit(ready, singly=True)
            self._around.inbox.passed(self._partition, commit.record)

    async def _commit(self, ready: rounds.Round, *, singly: bool = False) -> None:
        if not self._transactions.started:
            await self._go_on()
        before, self._record = self._record, ready.commit.record
        try:
            await self._write_round(ready, singly=singly)
        except (ConnectorError, Refused):
            self._record = before
            raise
        except BaseException:  # cancelled: the next begin finds out whether it was written
            self._record = before
            await self._transactions.close()
            raise

    async def forget(self, before: Millis) -> None:
        """Write tombstones for subjects without a state whose ids all came before a time.

        A limited number at once; the next call continues.
        """
        async with self._turn:
            if self._lost or not self._transactions.started:
                return
            local, number = self._around.local, self._partition
            epoch = self._record.epoch
            old = await subjects.forgettable(local, number, epoch, before, AT_ONCE)
            if old:
                await self._write_alone(old, local.own_seen(number))

    async def close(self) -> None:
        """Give the partition up; a running commit ends first, later ones are refused."""
        self._lost = True
        async with self._turn:
            await self._leave()

    # ------------------------------------------------------------------------------- beginnings

    async def _begin(self) -> None:
        """Fence, catch up, and check that this program understands all records."""
        around = self._around
        try:
            await self._transactions.start()
        except NotWritten as error:
            raise faults.unwritable("taking over a partition", error.__cause__ or error) from error
        await around.follower.catch_up(self._partition, around.limit)
        newest = around.follower.too_new.get(self._partition)
        if newest is not None:
            raise Permanent(
                "JRN-007",
                f"partition {self._partition} has records of version {newest}; this program"
                f" knows {records.SCHEMA}",
            )

    async def _resume(self) -> PartitionRecord:
        """Begin again after a failure, if no other owner came in between.

        Raises:
            Transient: ``JRN-003`` when one came.
        """
        await self._begin()
        known = await self._around.local.record(self._partition)
        if known.epoch != self._record.epoch:
            await self._lose()
        return known

    async def _go_on(self) -> None:
        """Begin again with a round, if the last one known here was the last."""
        known = await self._resume()
        if known.commits != self._record.commits:
            await self._lose()

    async def _lose(self) -> None:
        await self._leave()
        raise faults.not_owner(self._partition)

    async def _leave(self) -> None:
        self._lost = True
        await self._transactions.close()
        self._around.inbox.end(self._partition)
        self._around.follower.follow(self._partition)

    # ----------------------------------------------------------------------------------- rounds

    def _check(self, commit: Commit) -> None:
        record = commit.record
        newest = self._around.local.epoch(self._partition)
        if self._lost or record.epoch != self._record.epoch or newest > record.epoch:
            raise faults.not_owner(self._partition)
        check_behind(self._record.position, self._record.audit_count, record, commit.audit)

    async def _write_round(self, ready: rounds.Round, *, singly: bool) -> None:
        around, record = self._around, self._record
        before = record.time - around.ids_kept
        unread = {letter.position for letter in ready.commit.dead_letters}
        consumed = around.inbox.consumed(self._partition, record.position, unread)
        consumed += around.inbox.applied(self._partition, record.commands)
        consumed += [Consumed(one.subject, one.id, one.at) for one in ready.commit.known]
        states = await subjects.of_round(around.local, ready, consumed, before, around.dropped)
        own = around.local.own_seen(self._partition)
        seen = subjects.own_seen(own, consumed, before, around.dropped)
        others = list(pack(ready, around.names, around.partitions))
        try:
            await self._write(states, others, seen, singly=singly)
        except Refused as error:
            if error.index is None:
                raise
            keys = [one.head.key for one in states]
            raise too_large(error.index, error.size, keys, ready.commit) from error

    async def _write_alone(self, states: list[records.StateRecord], seen: records.Seen) -> None:
        """What belongs to no round."""
        try:
            await self._write(states, [], seen)
        except Refused as error:
            raise faults.unwritable("writing", MessageSizeTooLargeError()) from error

    async def _write(
        self,
        states: list[records.StateRecord],
        others: list[Outgoing],
        seen: records.Seen,
        *,
        singly: bool = False,
    ) -> None:
        """One transaction, the partition's own record last; then the local tables."""
        around, record = self._around, self._record
        own = records.own_outgoing(record, seen, around.names.states)
        sent = [records.state_outgoing(one, around.names.states) for one in states]
        sent += [*others, own]
        try:
            positions = await self._transactions.run(
                sent, self._offsets(), around.names.group, singly=singly
            )
        except NotWritten as error:
            raise faults.unwritable("committing", error.__cause__ or error) from error
        except Fenced:
            await self._lose()
            return
        except InDoubt:
            await self._settle_doubt()
            return
        self._offset = record.position
        try:
            await self._apply(states, own)
        except Transient:  # the local disk is full; it was written all the same
            await self._lose()
        around.follower.leave(self._partition)
        for place, position in positions.items():
            if place.topic == around.names.states:
                around.follower.written(place.partition, position)
            elif place.topic == around.names.events:
                around.inbox.expect(place.partition, position)

    def _offsets(self) -> dict[TopicPartition, int]:
        """The group's offsets when the read position moved, for tools that show the lag."""
        position = self._record.position
        if position == self._offset:
            return {}
        return {TopicPartition(self._around.names.events, self._partition): position}

    async def _apply(self, states: list[records.StateRecord], own: Outgoing) -> None:
        record, number = self._record, self._partition
        seen = dict(own.headers)["seen"]
        mine = records.OwnRecord(number, record.epoch, record.commits, seen, own.value or b"")
        await self._around.local.apply(Changes(states=states, own={number: mine}))

    async def _settle_doubt(self) -> None:
        """Find out whether a round was written: by then it is, or never will be.

        Raises:
            Transient: ``JRN-001`` when it was not; ``JRN-003`` when that cannot be found out now,
                or another owner has the partition: its take-over shows what is true.
        """
        for _ in range(_RETRIES):
            if self._lost:
                break
            try:
                known = await self._resume()
            except ConnectorError as error:
                if error.code != "JRN-001":
                    raise
                continue
            if known.commits == self._record.commits:
                return
            raise faults.unwritable("committing", TimeoutError())
        await self._lose()
