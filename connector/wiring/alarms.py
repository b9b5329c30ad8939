"""Log lines about upstreams and plug-ins that a person should be alarmed by."""

import structlog

from connector.core.errors import Fault
from connector.core.metrics import CircuitState

log = structlog.get_logger("connector.app")


def changed(upstream: str, state: CircuitState, fault: Fault | None) -> None:
    """One line per change of an upstream, so that one outage is one alarm."""
    code = "" if fault is None else fault.code
    level = log.error if state == "open" else log.info
    level("upstream.changed", backend=upstream, state=state, error_code=code)


def unexpected(stage: str, error: BaseException) -> None:
    """A plug-in raised what its contract does not allow."""
    log.error("plugin.failed", stage=stage, error=type(error).__name__)
