"""Taking changed secrets up, each part by itself: what one refuses keeps no other waiting."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import structlog

from connector.core.errors import ConnectorError
from connector.core.metric_definitions import (
    CONFIG_LAST_RELOAD_SUCCESS,
    CONFIG_LAST_RELOAD_SUCCESSFUL,
)
from connector.core.metrics import Metrics
from connector.core.model import SECOND
from connector.core.ports import Clock
from connector.wiring.ports import OpenPorts
from connector.worker.upstream_limits import UpstreamLimits

log = structlog.get_logger("connector.app")


async def reopen_upstreams(
    opened: Mapping[str, OpenPorts[Any]], limits: UpstreamLimits, changed: frozenset[Path]
) -> bool:
    """Open those again whose files changed, or that could not be opened before.

    Args:
        opened: plug-ins, by what stands before their names in those of the upstreams.
        limits: updated for those that were opened again.
        changed: the files.

    Returns:
        Whether all could be opened. Those that were may be tried again at once.
    """
    whole = True
    for prefix, ports in opened.items():
        outcome = await ports.reopen(changed)
        limits.credentials_reloaded(f"{prefix}{name}" for name in outcome.opened)
        for name, error in outcome.refused.items():
            whole = False
            log.error("secrets.refused", backend=f"{prefix}{name}", error_code=error.code)
    return whole


def taken_up(take_up: Callable[[], None]) -> bool:
    """Pass the changed secrets to one user of them; whether they were accepted."""
    try:
        take_up()
    except ConnectorError as error:
        log.exception("secrets.refused", error_code=error.code)
        return False
    return True


class Reloads:
    """Publishes whether settings and secrets are all in force as they are mounted."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self._refused: set[str] = set()

    def count(self, what: str, *, accepted: bool) -> None:
        """``what`` was read again; a failure leaves the time of the last success."""
        self._refused = self._refused - {what} if accepted else self._refused | {what}
        self._metrics.gauge(CONFIG_LAST_RELOAD_SUCCESSFUL, not self._refused)
        if not self._refused:
            self._metrics.gauge(CONFIG_LAST_RELOAD_SUCCESS, self._clock.now() / SECOND)
