"""A journal for a command that works on it while no service does.

What the journals are made of is imported when one is opened: the command line imports this module
at each start, and most commands only ask the service.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from connector.core.errors import Permanent
from connector.core.journal import Journal
from connector.journal.leftovers import present
from connector.journal.settings import KafkaSettings
from connector.settings.model import Settings
from connector.wiring.clock import MachineClock

PATIENCE = 60.0
"""Seconds to wait for existing events: a reader of everything must not miss the end."""


@asynccontextmanager
async def offline_journal(
    settings: Settings, *, new: bool = False, alone: bool = False
) -> AsyncIterator[Journal]:
    """The journal of these settings, open until the block is left.

    The local tables of a clustered one lie in a folder that is gone afterwards. With ``new`` an
    embedded one may be made where there is none. ``alone``: no service may use it, which an
    embedded one never allows.

    Raises:
        Permanent: ``JRN-004`` when a service holds it, or it is not there; ``JRN-009`` when it is
            served.
        ConnectorError: as :func:`connector.journal.kafka.cluster.require`.
    """
    from connector.journal.kafka.active_members import require_rest  # noqa: PLC0415 - see above
    from connector.wiring.journal import require_topics  # noqa: PLC0415 - as above

    with TemporaryDirectory(prefix="pki-connector-") as folder:
        await require_topics(settings.journal)
        if alone and isinstance(settings.journal, KafkaSettings):
            await require_rest(settings.journal)
        journal = _journal(settings, Path(folder), new=new)
        await journal.open()
        try:
            yield journal
        finally:
            await journal.close()


def _journal(settings: Settings, folder: Path, *, new: bool) -> Journal:
    from connector.journal.kafka.journal import KafkaJournal  # noqa: PLC0415 - see above
    from connector.wiring.journal import make_journal  # noqa: PLC0415 - as above

    wanted = settings.journal
    clock = MachineClock()
    if isinstance(wanted, KafkaSettings):
        return KafkaJournal(
            wanted,
            local=folder / "tables.sqlite",
            instance=uuid.uuid4().hex,
            monotonic=clock.monotonic,
            on_lost=_raised_by_every_call,
            read_patience=PATIENCE,
        )
    if not new and not present(wanted.path):
        raise Permanent("JRN-004", f"opening {wanted.path}: there is no journal")
    return make_journal(wanted, clock, _raised_by_every_call)


def _raised_by_every_call(_fault: Permanent) -> None:
    """A command needs no word of its own that the journal is lost: its next call says so."""
