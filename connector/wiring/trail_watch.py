"""The regular check of the whole audit trail."""

import asyncio
from collections.abc import Sequence

import structlog

from connector.core.conditions import Severity
from connector.core.errors import ConnectorError
from connector.core.journal import Journal
from connector.core.metric_definitions import AUDIT_CHAIN_VALID
from connector.core.metrics import Metrics
from connector.core.secret import Credential
from connector.operators.auditing import check_journal
from connector.operators.verbs.audit import ChainReport
from connector.wiring.conditions import Board

log = structlog.get_logger("connector.audit")
NAME = "audit-trail"


class TrailWatch:
    """Checks every chain now and then, and says whether all are whole.

    Args:
        journal: whose trail it is.
        keys: the present key, and those before it.
        board: where a broken trail is reported.
        metrics: counts the outcome of each check.
    """

    def __init__(
        self, journal: Journal, keys: Sequence[Credential], board: Board, metrics: Metrics
    ) -> None:
        self._journal = journal
        self._key, *self._old = keys
        self._board = board
        self._metrics = metrics

    async def follow(self, first: float, every: float) -> None:
        """Check after ``first`` seconds and then at intervals, until cancelled."""
        try:
            await asyncio.sleep(first)
            while True:
                await self._quietly()
                await asyncio.sleep(every)
        finally:
            self._board.clear(NAME)  # another process checks from now on

    async def check(self) -> None:
        """One check."""
        chains = await check_journal(self._journal, self._key, (), self._old)
        broken = [chain for chain in chains if chain.found]
        self._metrics.gauge(AUDIT_CHAIN_VALID, not broken)
        if broken:
            self._board.report(NAME, Severity.CRITICAL, "AUD-001", _told(broken))
        else:
            self._board.clear(NAME)

    async def _quietly(self) -> None:
        try:
            await self.check()
        except ConnectorError as error:
            log.warning("audit.check_failed", error_code=error.code)


def _told(broken: Sequence[ChainReport]) -> str:
    places = [f"partition {one.partition} from record {one.first} on" for one in broken[:3]]
    more = f" and {len(broken) - 3} more" if len(broken) > 3 else ""  # noqa: PLR2004 - as above
    return f"the audit trail is broken: {', '.join(places)}{more}"
