"""Serve requests of senders, step by step: admit, read, verify, normalise, append."""

import logging
from collections.abc import Callable
from functools import partial

from aiohttp import web

from connector.core.errors import Rejected
from connector.core.metric_definitions import WEBHOOK_AUTH_FAILURES
from connector.core.metrics import Metrics
from connector.core.ports import Clock
from connector.core.source import Caller, Head, Source, is_failed_try
from connector.sources.answers import empty
from connector.sources.bodies import Bodies
from connector.sources.connection import connection_of
from connector.sources.failed_tries import FailedTries
from connector.sources.refusals import Refusals
from connector.sources.storing import Storing

_log = logging.getLogger(__name__)


class Gate:
    """Counts and logs callers that fail to authenticate."""

    def __init__(
        self,
        failed: FailedTries,
        address: Callable[[web.BaseRequest], str],
        clock: Clock,
        metrics: Metrics,
        refusals: Refusals,
    ) -> None:
        self.refusals = refusals
        self._failed = failed
        self._address = address
        self._clock = clock
        self._metrics = metrics

    def refuse(self, request: web.BaseRequest, source: str, sender: str, error: Rejected) -> None:
        """Count and log a failed try; an address that fails too often is not logged further.

        Raises:
            Rejected: ``AUTH-003`` for an address that failed too often as this sender.
        """
        address = self._address(request)
        self._failed.note(address, f"{source}/{sender}", self._clock.monotonic())
        self._metrics.count(WEBHOOK_AUTH_FAILURES, source=source, error_code=error.code)
        tenant = self.refusals.known(sender)
        extra = {"error_code": error.code, "source": source, "tenant": tenant, "client": address}
        _log.warning("intake.sender_refused", extra=extra)


class Senders:
    """All senders of one source.

    Each source has its own room for bodies: where only the body authenticates the caller, strangers
    can fill that room, and must not block the notifications of another source.
    """

    def __init__(
        self, source: Source, gate: Gate, bodies: Bodies, storing: Storing, clock: Clock
    ) -> None:
        self.capabilities = source.capabilities
        self._source = source
        self._gate = gate
        self._bodies = bodies
        self._storing = storing
        self._clock = clock

    def replace(self, source: Source) -> None:
        """Replace the senders at once."""
        self._source = source

    async def post(self, request: web.BaseRequest, sender: str) -> web.StreamResponse:
        """Handle one notification."""
        head, reserved = Head(sender, request.headers), 0
        try:
            caller = self._known(request, head)
            reserved = self._bodies.reserve(request)
            body = await self._bodies.read(request)
            if caller is None:
                caller = self._verified(request, head, body)
            read = partial(caller.event, body, self._clock.now())
            await self._storing.store(self.capabilities.label, read)
        except Rejected as error:
            if is_failed_try(error):
                self._gate.refusals.note(sender, error.code)
            raise
        finally:
            self._bodies.release(reserved)
        return empty(request, caller.success_status)

    async def get(self, request: web.BaseRequest, sender: str) -> web.StreamResponse:
        """A test of the address: whether it and the credentials are right."""
        self._known(request, Head(sender, request.headers), is_test=True)
        return web.Response(text="OK")

    def _known(
        self, request: web.BaseRequest, head: Head, *, is_test: bool = False
    ) -> Caller | None:
        """The caller, if the head authenticates them; the connection is then admitted."""
        try:
            caller = self._source.caller(head)
        except Rejected as error:
            self._refuse(request, head, error)
            raise
        if caller is not None:
            connection_of(request).let_in()
            if not is_test:
                caller.expect()
        return caller

    def _verified(self, request: web.BaseRequest, head: Head, body: bytes) -> Caller:
        try:
            caller = self._source.verified(head, body, self._clock.now())
        except Rejected as error:
            self._refuse(request, head, error)
            raise
        connection_of(request).let_in()
        caller.expect()
        return caller

    def _refuse(self, request: web.BaseRequest, head: Head, error: Rejected) -> None:
        if is_failed_try(error):
            self._gate.refuse(request, self.capabilities.label, head.sender, error)
