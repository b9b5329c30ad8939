"""The conditions that parts of this process report, each for as long as it lasts."""

import logging
from collections.abc import Mapping, Sequence

import structlog

from connector.core.conditions import Condition, Severity
from connector.core.metric_definitions import CONDITIONS
from connector.core.metrics import Metrics
from connector.core.model import Millis
from connector.core.ports import Clock
from connector.operators.conditions import condition

log = structlog.get_logger("connector.conditions")
LEVELS: Mapping[Severity, int] = {
    Severity.CRITICAL: logging.ERROR,
    Severity.WARNING: logging.WARNING,
    Severity.NOTICE: logging.INFO,
}


class Board:
    """Keeps the conditions by name. A name is the reporter's; two reporters never share one.

    A condition is logged when it begins and when it ends, not at each report.
    """

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self._standing: dict[str, Condition] = {}

    def report(
        self, name: str, severity: Severity, code: str, text: str, since: Millis | None = None
    ) -> None:
        """Something is the case; repeated, only its words change. ``since``: default now."""
        before = self._standing.get(name)
        same = before is not None and (before.severity, before.code) == (severity, code)
        begun = before.since if same and before is not None else since or self._clock.now()
        self._standing[name] = condition(severity, code, text, begun)
        if not same:
            log.log(LEVELS[severity], "condition.began", error_code=code, message=text)
            self._publish(code, *(() if before is None else (before.code,)))

    def clear(self, name: str) -> None:
        """It is over; nothing happens when it never began."""
        before = self._standing.pop(name, None)
        if before is not None:
            log.info("condition.ended", error_code=before.code, message=before.text)
            self._publish(before.code)

    def standing(self) -> Sequence[Condition]:
        """What is the case now, in no certain order."""
        return tuple(self._standing.values())

    def _publish(self, *codes: str) -> None:
        for code in codes:
            count = sum(one.code == code for one in self._standing.values())
            self._metrics.gauge(CONDITIONS, count, error_code=code)
