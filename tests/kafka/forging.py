"""Records of states as a former owner, or a foreign program, might write them."""

from collections.abc import Sequence

from connector.core.model import SubjectKey
from connector.core.states import HolderState
from connector.journal import states as state_tables
from connector.journal.kafka import records
from connector.journal.kafka.clients import Clients
from connector.journal.kafka.cloudevents import Outgoing
from connector.journal.kafka.transactions import Transactions
from connector.journal.settings import KafkaSettings

LIMIT = 10.0


def state(
    options: KafkaSettings, key: SubjectKey, *, epoch: int, version: int, source: int = 0
) -> Outgoing:
    """A record of a subject of partition 0, recognised by its state's version, ``version``."""
    columns = state_tables.columns(HolderState(key=key, version=version), 0)
    head = records.Head(key, 0, epoch, version, records.NOTHING_SEEN, 0, bare=False)
    return records.state_outgoing(
        records.StateRecord(head, source, columns, []), options.names.states
    )


def transactions(options: KafkaSettings, transactional_id: str) -> Transactions:
    """A producer with some transactional id, not started."""
    return Transactions(Clients(options), transactional_id, LIMIT)


async def slipped_in(options: KafkaSettings, forged: Sequence[Outgoing]) -> None:
    """Write records past the fence: with a transactional id that no other client uses."""
    stranger = transactions(options, f"{options.names.transactions}stranger")
    await stranger.start()
    try:
        await stranger.run(forged)
    finally:
        await stranger.close()
