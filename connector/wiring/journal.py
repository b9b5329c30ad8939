"""The journal, embedded or clustered, as the settings choose."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

from connector.core.errors import Permanent
from connector.core.journal import Journal
from connector.core.values import Section, millis
from connector.journal.kafka.cluster import require
from connector.journal.kafka.journal import KafkaJournal
from connector.journal.kafka.options import KafkaOptions
from connector.journal.sqlite import SqliteJournal, SqliteOptions
from connector.settings.journal import KafkaSettings, SqliteSettings
from connector.wiring.clock import MachineClock
from connector.wiring.journal_watch import Watched

OURS = {"type", "path"}
"""Settings of the clustered journal that do not concern the cluster."""


class ServedJournal(Journal, Watched, Protocol):
    """A journal of this process, which also tells what waits in it."""

    def load_of_appends(self) -> tuple[int, float]:
        """How many appended events wait, and for how many seconds the oldest."""
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
            kafka_options(wanted),
            local=wanted.path,
            instance=uuid.uuid4().hex,
            monotonic=clock.monotonic,
            on_lost=on_lost,
        )
    return SqliteJournal(
        wanted.path,
        wanted.partitions,
        monotonic=clock.monotonic,
        on_lost=on_lost,
        options=SqliteOptions(
            waiting_limit=wanted.queue_limit, id_retention=millis(wanted.ids_kept)
        ),
    )


async def require_topics(wanted: SqliteSettings | KafkaSettings) -> None:
    """See that the cluster has what the journal needs; nothing is made silently.

    Raises:
        ConnectorError: as :func:`connector.journal.kafka.cluster.require`.
    """
    if isinstance(wanted, KafkaSettings):
        await require(kafka_options(wanted))


async def require_whole(journal: Journal) -> None:
    """See that an open journal is not the half of a copy.

    Raises:
        Permanent: ``JRN-010`` when it is.
    """
    if any(record.copying for record in await journal.records()):
        raise Permanent("JRN-010", "opening journal: copying into it was not finished")


def kafka_options(wanted: KafkaSettings) -> KafkaOptions:
    """The options of the clustered journal, from the settings."""
    told = _in_millis(wanted)
    return KafkaOptions.model_validate({name: told[name] for name in told.keys() - OURS})


def _in_millis(value: Any) -> Any:
    """The same values with sections as mappings and durations in milliseconds."""
    if isinstance(value, Section):
        return {name: _in_millis(inner) for name, inner in value}
    return millis(value) if isinstance(value, timedelta) else value
