"""Notices of a CA that certificates changed, signed as Standard Webhooks 1.0 prescribes."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, ClassVar, NamedTuple, cast

from pydantic import BaseModel, Field

from connector.core.errors import Rejected
from connector.core.events import Event
from connector.core.model import Millis
from connector.core.source import NO_CREDENTIALS, Head, Sender, SourceCapabilities
from connector.core.values import Period, Section
from connector.decoding import JSON_TYPES, media_type
from connector.integrations.http_escrow.notices import LABEL, normalise
from connector.sources.authentication import (
    SignatureAuthentication,
    SignedHeaders,
    VerifiedNotification,
)
from connector.sources.tenants import SigningSender


class StandardWebhook(Section):
    """Notices of this CA about certificates, at ``/hooks/standard_webhooks/NAME``, signed."""

    secret_files: tuple[Path, ...] = Field(min_length=1)
    """Signing secrets (mounted); several are valid at once, so that one can be changed."""
    tolerance: Annotated[Period, Field(le=timedelta(hours=1))] = timedelta(minutes=5)
    """Largest difference between the notice's time and ours."""


class SigningCaller(NamedTuple):
    """A CA that was authenticated by the signature of its notice."""

    notice: VerifiedNotification
    success_status: int = 202

    def expect(self) -> None:
        """Raise ``EVT-004`` unless the notice is JSON."""
        if self.notice.kind.name not in JSON_TYPES:
            raise Rejected("EVT-004", "reading a notification")

    def event(self, body: bytes, now: Millis) -> Event | None:  # noqa: ARG002 - it was signed
        """See :func:`connector.integrations.http_escrow.notices.normalise`."""
        return normalise(self.notice, now)


class StandardWebhooksSource:
    """See :class:`connector.core.source.Source`: only the signed body authenticates the caller."""

    name: ClassVar[str] = "standard_webhooks"
    settings_model: ClassVar[type[BaseModel]] = StandardWebhook
    capabilities: ClassVar[SourceCapabilities] = SourceCapabilities(
        label=LABEL,
        challenge='StandardWebhooks realm="pki-connector"',
        failed_code="AUTH-002",
        event_kinds=("certificates_changed",),
        addresses=("ca",),
    )

    def __init__(self, senders: Sequence[Sender]) -> None:
        """Take the CAs; raises ``CFG-003`` when a signing secret is unusable."""
        self._signatures = SignatureAuthentication([_with_secrets(one) for one in senders])

    def caller(self, head: Head) -> SigningCaller | None:
        """None: the body is needed; without signatures it is not even read."""
        if not head.headers.get("webhook-signature"):
            raise Rejected(NO_CREDENTIALS, "verifying a webhook signature")
        return None

    def verified(self, head: Head, body: bytes, now: Millis) -> SigningCaller:
        """The CA that signed the body."""
        headers = head.headers
        offered = SignedHeaders(
            headers.get("webhook-id", ""),
            headers.get("webhook-timestamp", ""),
            headers.get("webhook-signature", ""),
        )
        kind = media_type(headers.get("Content-Type", ""))
        return SigningCaller(self._signatures.verify(head.sender, offered, body, now, kind))


def _with_secrets(sender: Sender) -> SigningSender:
    settings = cast("StandardWebhook", sender.settings)
    secrets = tuple(sender.secret(path) for path in settings.secret_files)
    return SigningSender(sender.name, secrets, int(settings.tolerance.total_seconds()))
