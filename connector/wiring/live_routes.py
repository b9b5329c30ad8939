"""The routes in force: one snapshot, replaced as a whole when the settings' file changes."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import structlog

from connector.core.conditions import Severity
from connector.core.policy import RoutePolicy
from connector.settings.changes import changes
from connector.settings.model import Settings
from connector.settings.reload import SettingsFile
from connector.settings.report import SettingsRefused
from connector.wiring.conditions import Board
from connector.wiring.reloading import Reloads

log = structlog.get_logger("connector.app")

REFUSED, RESTART = "settings-refused", "settings-restart"
SHOWN = 5
"""Settings that are named in the condition."""


class Reading(NamedTuple):
    """The settings' file, and what reads it again; ``load`` raises ``SettingsRefused``."""

    file: Path
    load: Callable[[], Settings]


class LiveRoutes(Mapping[str, RoutePolicy]):
    """The policies by name, in the order in which they are tried.

    What has begun with a policy ends with it: an act's record and job hold what they need.
    """

    def __init__(self, settings: Settings, board: Board, reloads: Reloads) -> None:
        """``settings``: those that the service starts with."""
        self._started = self._settings = settings
        self._board = board
        self._reloads = reloads
        self._now: Mapping[str, RoutePolicy] = settings.policies()

    def snapshot(self) -> Mapping[str, RoutePolicy]:
        """The policies of this moment; never changed afterwards."""
        return self._now

    async def follow(
        self, reading: Reading | None, taken: Callable[[], None], stop: asyncio.Event
    ) -> None:
        """Take routes up when the file changes, until ``stop``; ``taken`` is called afterwards."""
        if reading is None:
            return

        async def take_up() -> bool:
            accepted = await self.take_up(reading.load)
            taken()
            return accepted

        await SettingsFile(reading.file, take_up).follow(stop)

    async def take_up(self, load: Callable[[], Settings]) -> bool:
        """Read the settings again and take the routes up; what was refused stays as it was.

        Returns:
            Whether they are valid. What needs a restart is a condition, and no failure.
        """
        try:
            newer = await asyncio.to_thread(load)
        except SettingsRefused as error:
            text = f"the new settings are refused, the previous ones stay in force: {error.detail}"
            self._board.report(REFUSED, Severity.WARNING, "CFG-008", text)
            log.exception("settings.refused", error_code=error.code, message=error.detail)
            self._reloads.count("settings", accepted=False)
            return False
        self._board.clear(REFUSED)
        self._replace(newer)
        self._reloads.count("settings", accepted=True)
        return True

    def _replace(self, newer: Settings) -> None:
        since_start = changes(self._started, newer)
        waiting = since_start.others
        if since_start.upstreams:
            waiting += changes(self._settings, newer).routes
        else:
            count = len(changes(self._settings, newer).routes)
            self._settings, self._now = newer, newer.policies()
            if count:
                log.info("settings.reloaded", count=count)
        if waiting:
            more = f" and {len(waiting) - SHOWN} more" if len(waiting) > SHOWN else ""
            text = f"changed settings need a restart: {', '.join(waiting[:SHOWN])}{more}"
            self._board.report(RESTART, Severity.WARNING, "CFG-009", text)
        else:
            self._board.clear(RESTART)

    def __getitem__(self, name: str) -> RoutePolicy:
        """The policy of a route."""
        return self._now[name]

    def __iter__(self) -> Iterator[str]:
        """The names of the routes."""
        return iter(self._now)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._now)
