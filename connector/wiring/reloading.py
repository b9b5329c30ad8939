"""Taking changed secrets up, each part by itself: what one refuses keeps no other waiting."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from connector.core.errors import ConnectorError
from connector.wiring.ports import OpenPorts
from connector.worker.upstream_limits import UpstreamLimits

log = structlog.get_logger("connector.app")


async def reopen_upstreams(
    backends: OpenPorts[Any],
    targets: OpenPorts[Any],
    gate: UpstreamLimits,
    changed: frozenset[Path],
) -> bool:
    """Open those again whose files changed, or that could not be opened before.

    Returns:
        Whether all could be opened. Those that were may be tried again at once.
    """
    whole = True
    for kind, ports in (("ca", backends), ("uem", targets)):
        outcome = await ports.reopen(changed)
        gate.credentials_reloaded(f"{kind}:{name}" for name in outcome.opened)
        for name, error in outcome.refused.items():
            whole = False
            log.error("secrets.refused", backend=f"{kind}:{name}", error_code=error.code)
    return whole


def taken_up(take_up: Callable[[], None]) -> bool:
    """Pass the changed secrets to one user of them; whether they were accepted."""
    try:
        take_up()
    except ConnectorError as error:
        log.exception("secrets.refused", error_code=error.code)
        return False
    return True
