"""The journal, embedded or clustered, as the settings choose."""

import uuid
from collections.abc import Callable
from typing import Protocol

from connector.core.errors import Permanent
from connector.core.journal import Journal
from connector.core.model import Millis
from connector.journal.kafka.cluster import require
from connector.journal.kafka.journal import KafkaJournal
from connector.journal.settings import KafkaSettings, SqliteSettings
from connector.journal.sqlite import SqliteJournal
from connector.wiring.clock import MachineClock
from connector.wiring.journal_watch import Watched


class ServedJournal(Journal, Watched, Protocol):
    """A journal of this process, which also tells what waits in it."""

    def load_of_appends(self) -> tuple[int, float]:
        """How many appended events wait, and for how many seconds the oldest."""
        ...

    async def unread(self) -> tuple[int, Millis | None]:
        """How many stored events wait for a round of this process, and since when the oldest."""
        ...

    def take_ids_dropped(self) -> int:
        """How many ids of events were forgotten before their time, since this was last asked."""
        ...


def make_journal(
    wanted: SqliteSettings | KafkaSettings,
    clock: MachineClock,
    on_lost: Callable[[Permanent], None],
) -> ServedJournal:
    """The journal, not yet open; ``on_lost`` as its constructor says."""
    if isinstance(wanted, KafkaSettings):
        return KafkaJournal(
            wanted,
            local=wanted.path,
            instance=uuid.uuid4().hex,
            monotonic=clock.monotonic,
            on_lost=on_lost,
        )
    return SqliteJournal(wanted, monotonic=clock.monotonic, on_lost=on_lost)


async def require_topics(wanted: SqliteSettings | KafkaSettings) -> None:
    """See that the cluster has what the journal needs; nothing is made silently.

    Raises:
        ConnectorError: as :func:`connector.journal.kafka.cluster.require`.
    """
    if isinstance(wanted, KafkaSettings):
        await require(wanted)


async def require_whole(journal: Journal) -> None:
    """See that an open journal is not the half of a copy.

    Raises:
        Permanent: ``JRN-010`` when it is.
    """
    if any(record.copying for record in await journal.records()):
        raise Permanent("JRN-010", "opening journal: copying into it was not finished")
