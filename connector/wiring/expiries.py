"""When the service's own certificates and tokens end: metric, warning and condition before."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import nan

import structlog

from connector.core.conditions import Severity
from connector.core.errors import Permanent
from connector.core.metric_definitions import OWN_CREDENTIAL_EXPIRY
from connector.core.metrics import Metrics
from connector.core.model import millis_of
from connector.core.ports import Clock
from connector.mounted import read_secret
from connector.operators.verbs.status import CredentialView
from connector.settings.certificates import Ending, endings, fault_of
from connector.settings.model import Settings
from connector.settings.secrets import OwnSecret, end_of, own_secrets
from connector.wiring.conditions import Board

EVERY = 86_400.0
"""Seconds between two looks; one that ends soon is logged at each of them."""
CLOSE = timedelta(days=7)

log = structlog.get_logger("connector.expiries")


class Expiries:
    """Looks at certificates and secrets at the start, when mounted files change, and daily."""

    def __init__(self, settings: Settings, clock: Clock, board: Board, metrics: Metrics) -> None:
        self._settings = settings
        self._clock = clock
        self._board = board
        self._metrics = metrics
        self._seen: tuple[CredentialView, ...] = ()

    def look(self) -> None:
        """Read all of them, publish their ends, and report what has ended or ends soon."""
        found = endings(self._settings)
        self._seen = tuple(
            CredentialView(name=one.certificate.name, not_after=millis_of(one.ends))
            for one in found
        )
        for one in found:
            ends = one.ends.timestamp()
            self._metrics.gauge(OWN_CREDENTIAL_EXPIRY, ends, credential=one.certificate.name)
            self._judge(one)
        for secret in own_secrets(self._settings):
            ends = _end_of(secret)
            self._metrics.gauge(OWN_CREDENTIAL_EXPIRY, ends, credential=secret.name)

    def _judge(self, one: Ending) -> None:
        now = datetime.fromtimestamp(self._clock.now() / 1000, UTC)
        name = f"certificate {one.certificate.name}"
        fault = fault_of(one.ends, now)
        if fault is None:
            self._board.clear(name)
            return
        code, text = fault
        close = one.ends - now < CLOSE
        severity = Severity.CRITICAL if close else Severity.WARNING
        self._board.report(name, severity, code, f"{name} {text}")
        log.warning("credential.expires", error_code=code, message=f"{name} {text}")

    def seen(self) -> Sequence[CredentialView]:
        """The certificates that could be read at the last look, the one that ends first first."""
        return self._seen

    async def follow(self, stop: asyncio.Event) -> None:
        """Look once a day until ``stop`` is set."""
        while not stop.is_set():
            self.look()
            try:
                await asyncio.wait_for(stop.wait(), EVERY)
            except TimeoutError:
                continue


def _end_of(secret: OwnSecret) -> float:
    """NaN where it cannot be read, which the readers of the mounted files report."""
    try:
        return end_of(read_secret(secret.file))
    except Permanent:
        return nan
