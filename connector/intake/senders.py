"""What each kind of sender may do, step by step: admit, read, verify, normalise, append."""

import logging
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Final

from aiohttp import hdrs, web

from connector.core.errors import Rejected
from connector.core.metrics import IntakeMetrics
from connector.core.ports import Clock
from connector.intake import ca, workspace_one
from connector.intake.answers import empty
from connector.intake.authentication import (
    BasicAuthentication,
    KnownCaller,
    SignatureAuthentication,
    SignedHeaders,
)
from connector.intake.bodies import Bodies
from connector.intake.failed_tries import FailedTries
from connector.intake.storing import Storing
from connector.intake.tenants import Format, Tenants

_log = logging.getLogger(__name__)

JSON_TYPES: Final = frozenset({"application/json", "text/json"})
XML_TYPES: Final = frozenset({"application/xml", "text/xml"})
CA_STATUS = 202


class Gate:
    """Lets addresses try, and remembers which failed."""

    def __init__(
        self,
        failed: FailedTries,
        address: Callable[[web.BaseRequest], str],
        clock: Clock,
        metrics: IntakeMetrics,
    ) -> None:
        """Take how an address is found and where failures are counted."""
        self._failed = failed
        self._address = address
        self._clock = clock
        self._metrics = metrics

    def check(self, request: web.BaseRequest) -> None:
        """Refuse an address that failed too often (``AUTH-003``)."""
        if self._failed:
            self._failed.check(self._address(request), self._clock.monotonic())

    def note(self, request: web.BaseRequest, source: str, code: str) -> None:
        """Count and log a failed try; an address that fails too often is not logged further."""
        address = self._address(request)
        self._failed.note(address, self._clock.monotonic())
        self._metrics.webhook_auth_failed(source, code)
        extra = {"error_code": code, "source": source, "client": address}
        _log.warning("intake.sender_refused", extra=extra)


class WorkspaceOneSender:
    """The webhook of a UEM console: Basic credentials, known before the body is read."""

    source = "workspace-one"
    challenge = 'Basic realm="pki-connector", charset="UTF-8"'

    def __init__(self, gate: Gate, bodies: Bodies, storing: Storing, clock: Clock) -> None:
        """Begin without tenants."""
        self._gate = gate
        self._bodies = bodies
        self._storing = storing
        self._clock = clock
        self._basic = BasicAuthentication(())

    def replace_tenants(self, tenants: Tenants) -> None:
        """From now on these may send."""
        self._basic = BasicAuthentication(tenants.uem)

    async def post(self, request: web.BaseRequest, tenant: str) -> web.StreamResponse:
        """One notification."""
        caller = self._admit(request, tenant)
        is_xml = _is_xml(request, caller.tenant.format)
        reserved = self._bodies.reserve(request)
        try:
            body = await self._bodies.read(request)
            notification = caller.notification(body, is_xml=is_xml)
            read = partial(workspace_one.normalise, notification, self._clock.now())
            await self._storing.store(self.source, read)
        finally:
            self._bodies.release(reserved)
        return empty(request, caller.tenant.success_status)

    async def get(self, request: web.BaseRequest, tenant: str) -> web.StreamResponse:
        """The console's *Test Connection*: whether address and credentials are right."""
        self._admit(request, tenant)
        return web.Response(text="OK")

    def _admit(self, request: web.BaseRequest, tenant: str) -> KnownCaller:
        self._gate.check(request)
        try:
            return self._basic.caller(tenant, request.headers.get(hdrs.AUTHORIZATION))
        except Rejected as error:
            self._gate.note(request, self.source, error.code)
            raise


class CaSender:
    """The webhook of a CA: a signature over the raw body, so that is read first, within limits."""

    source = "ca"
    challenge = 'StandardWebhooks realm="pki-connector"'

    def __init__(self, gate: Gate, bodies: Bodies, storing: Storing, clock: Clock) -> None:
        """Begin without tenants."""
        self._gate = gate
        self._bodies = bodies
        self._storing = storing
        self._clock = clock
        self._signatures = SignatureAuthentication(())

    def replace_tenants(self, tenants: Tenants) -> None:
        """From now on these may send."""
        self._signatures = SignatureAuthentication(tenants.ca)

    async def post(self, request: web.BaseRequest, tenant: str) -> web.StreamResponse:
        """One notification."""
        self._gate.check(request)
        reserved = self._bodies.reserve(request)
        try:
            body = await self._bodies.read(request)
            now = self._clock.now()
            try:
                verified = self._signatures.verify(tenant, _signed_headers(request), body, now)
            except Rejected as error:
                self._gate.note(request, self.source, error.code)
                raise
            _is_xml(request, Format.JSON)
            await self._storing.store(self.source, partial(ca.normalise, verified, now))
        finally:
            self._bodies.release(reserved)
        return empty(request, CA_STATUS)


def _signed_headers(request: web.BaseRequest) -> SignedHeaders:
    headers = request.headers
    return SignedHeaders(
        headers.get("webhook-id", ""),
        headers.get("webhook-timestamp", ""),
        headers.get("webhook-signature", ""),
    )


@lru_cache(maxsize=64)
def _media_type(named: str) -> str:
    return named.partition(";")[0].strip().lower()


def _is_xml(request: web.BaseRequest, allowed: Format) -> bool:
    """Whether the body is XML, by its content type.

    Raises:
        Rejected: ``EVT-004`` when it is neither JSON nor XML, or not what the tenant sends.
    """
    kind = _media_type(request.headers.get(hdrs.CONTENT_TYPE, ""))
    if kind in JSON_TYPES and allowed is not Format.XML:
        return False
    if kind in XML_TYPES and allowed is not Format.JSON:
        return True
    raise Rejected("EVT-004", "reading a notification")
