"""A journal for a command that works on it while no service does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from connector.assembly.clock import MachineClock
from connector.assembly.journal import make_journal
from connector.core.errors import Permanent
from connector.core.journal import Journal
from connector.settings.journal import KafkaSettings
from connector.settings.model import Settings


@asynccontextmanager
async def offline_journal(settings: Settings, *, new: bool = False) -> AsyncIterator[Journal]:
    """The journal of these settings, open until the block is left.

    The local tables of a clustered one lie in a folder that is gone afterwards. With ``new`` an
    embedded one may be made where there is none.

    Raises:
        Permanent: ``JRN-004`` when a service holds it, or it is not there.
    """
    with TemporaryDirectory(prefix="pki-connector-") as folder:
        journal = _journal(settings, Path(folder), new=new)
        await journal.open()
        try:
            yield journal
        finally:
            await journal.close()


def _journal(settings: Settings, folder: Path, *, new: bool) -> Journal:
    wanted = settings.journal
    if isinstance(wanted, KafkaSettings):
        wanted = wanted.model_copy(update={"path": folder / "tables.sqlite"})
    elif not new and not wanted.path.exists():
        raise Permanent("JRN-004", f"opening {wanted.path}: there is no journal")
    return make_journal(wanted, MachineClock(), _raised_by_every_call)


def _raised_by_every_call(_fault: Permanent) -> None:
    """A command needs no word of its own that the journal is lost: its next call says so."""
