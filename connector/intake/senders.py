"""What each kind of sender may do, step by step: admit, read, verify, normalise, append."""

import logging
from collections.abc import Callable
from functools import partial

from aiohttp import hdrs, web

from connector.core.errors import Rejected
from connector.core.metrics import IntakeMetrics
from connector.core.ports import Clock
from connector.decoding import JSON_TYPES, XML_TYPES, MediaType, media_type
from connector.intake import ca, workspace_one
from connector.intake.answers import empty
from connector.intake.authentication import (
    BasicAuthentication,
    KnownCaller,
    SignatureAuthentication,
    SignedHeaders,
)
from connector.intake.bodies import Bodies
from connector.intake.connection import connection_of
from connector.intake.failed_tries import FailedTries
from connector.intake.storing import Storing
from connector.intake.tenants import Format, Tenants

_log = logging.getLogger(__name__)

CA_STATUS = 202


class Gate:
    """What becomes of callers that cannot be let in: asked for credentials, or counted."""

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

    def refuse(self, request: web.BaseRequest, source: str, tenant: str, error: Rejected) -> None:
        """Count and log a failed try; an address that fails too often is not logged further.

        Raises:
            Rejected: ``AUTH-003`` for an address that failed too often as this tenant.
        """
        address = self._address(request)
        self._failed.note(address, f"{source}/{tenant}", self._clock.monotonic())
        self._metrics.webhook_auth_failed(source, error.code)
        extra = {"error_code": error.code, "source": source, "client": address}
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
        kind = _kind(request, caller.tenant.format)
        reserved = self._bodies.reserve(request)
        try:
            body = await self._bodies.read(request)
            notification = caller.notification(body, kind)
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
        offered = request.headers.get(hdrs.AUTHORIZATION)
        if offered is None:  # a client may wait for the challenge (RFC 9110 section 11.6.1)
            raise Rejected("AUTH-005", "authenticating a webhook")
        try:
            caller = self._basic.caller(tenant, offered)
        except Rejected as error:
            self._gate.refuse(request, self.source, tenant, error)
            raise
        connection_of(request).let_in()
        return caller


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
        offered = _signed_headers(request)
        if not offered.signatures:
            raise Rejected("AUTH-005", "verifying a webhook signature")
        reserved = self._bodies.reserve(request)
        try:
            body = await self._bodies.read(request)
            now = self._clock.now()
            try:
                kind = media_type(request.headers.get(hdrs.CONTENT_TYPE, ""))
                verified = self._signatures.verify(tenant, offered, body, now, kind)
            except Rejected as error:
                self._gate.refuse(request, self.source, tenant, error)
                raise
            connection_of(request).let_in()
            _kind(request, Format.JSON)
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


def _kind(request: web.BaseRequest, allowed: Format) -> MediaType:
    """What a body is, by its content type.

    Raises:
        Rejected: ``EVT-004`` when it is neither JSON nor XML, or not what the tenant sends.
    """
    kind = media_type(request.headers.get(hdrs.CONTENT_TYPE, ""))
    if kind.name in JSON_TYPES and allowed is not Format.XML:
        return kind
    if kind.name in XML_TYPES and allowed is not Format.JSON:
        return kind
    raise Rejected("EVT-004", "reading a notification")
