"""Events to several partitions in one transaction: a brake holds everywhere or nowhere."""

import asyncio
from collections.abc import Sequence

from aiokafka.errors import MessageSizeTooLargeError

from connector.journal.kafka import faults
from connector.journal.kafka.cloudevents import Outgoing
from connector.journal.kafka.transactions import (
    Fenced,
    InDoubt,
    NotWritten,
    Positions,
    Refused,
    Transactions,
)


class Brakes:
    """Writes them with a transactional id of this process's own, taken when first needed."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._turn = asyncio.Lock()

    async def append(self, records: Sequence[Outgoing]) -> Positions:
        """Make records durable, all or none; returns as :meth:`Transactions.run`.

        Raises:
            Transient: ``JRN-001``; without an answer all of them may be durable, and
                their ids make a repetition harmless.
            Permanent: ``JRN-015`` when a record is larger than the cluster takes.
        """
        async with self._turn:
            try:
                if not self._transactions.started:
                    await self._transactions.start()
                return await self._transactions.run(records)
            except Refused as error:
                raise faults.unwritable("appending", MessageSizeTooLargeError()) from error
            except (NotWritten, InDoubt, Fenced) as error:
                raise faults.unwritable("appending", error.__cause__ or error) from error

    async def close(self) -> None:
        """End; twice is harmless."""
        await self._transactions.close()
