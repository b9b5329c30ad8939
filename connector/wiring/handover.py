"""The hand-overs of a service, made from its settings."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from connector.core.conditions import Severity
from connector.core.reach import SandboxPart
from connector.journal.lockfile import lock_of
from connector.keys.handover.leftovers import end_leftovers, journal_mark
from connector.keys.handover.parent import HandOver
from connector.keys.handover.server import COMMAND
from connector.settings.model import Settings
from connector.upstream import RequestLimit
from connector.wiring.conditions import Board

NAME = "sandbox"

log = structlog.get_logger("connector.app")


@asynccontextmanager
async def started(
    settings: Settings, permits: Callable[[str], RequestLimit], board: Board
) -> AsyncIterator[HandOver]:
    """What runs hand-overs, after what an earlier service left of them was ended.

    A sandbox that is not whole is reported.

    Args:
        settings: checked ones; this process holds the lock of their journal.
        permits: the limit of the requests to an upstream, from which those of the processes go off.
        board: the conditions of the service.

    Raises:
        ConnectorError: as :meth:`connector.keys.handover.parent.HandOver.start`.
    """
    mark = journal_mark(lock_of(settings.journal.path))
    ended = end_leftovers(mark)
    if ended:
        log.warning("handover.leftovers_ended", count=ended)
    hand_over = HandOver(
        accept_unlocked_memory=settings.handover.accept_unlocked_memory,
        sandbox=settings.handover.sandbox,
        requested=lambda upstream: permits(upstream).spend(),
        memory_readable=settings.testing.memory_readable,
        command=(*COMMAND, mark),
    )
    await hand_over.start()
    _report(hand_over, board)
    try:
        yield hand_over
    finally:
        await hand_over.stop()


def _report(hand_over: HandOver, board: Board) -> None:
    missing = [part.value for part in SandboxPart if part not in hand_over.protection.sandbox]
    if missing:
        text = f"hand-overs run without a part of their sandbox: {', '.join(missing)}"
        board.report(NAME, Severity.WARNING, "HND-010", text)
