"""Acme as a source: its webhook, from a notification to an event, and its feed."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple, cast

from pydantic import BaseModel, Field, ValidationError

from acme_connector.events import LABEL, MEANINGS, event_of
from acme_connector.feed import AcmeFeed
from acme_connector.interface import Notice
from connector.core.errors import Rejected
from connector.core.events import Event
from connector.core.feed import Feed
from connector.core.model import Millis
from connector.core.source import NO_CREDENTIALS, Head, Sender, SourceCapabilities
from connector.core.values import Section
from connector.decoding import JSON_TYPES, media_type
from connector.sources.authentication import BasicAuthentication, KnownCaller
from connector.sources.tenants import BasicSender


class Login(Section):
    """A name and password that Acme may log in with."""

    user: str = Field(min_length=1, max_length=128, pattern=r"^[^:\x00-\x1f]+$")
    """User name, without a colon (RFC 7617 section 2)."""
    password_file: Path
    """Its password (a mounted secret)."""


class AcmeWebhook(Section):
    """Notifications of this Acme system, at ``/hooks/acme/NAME``."""

    credentials: tuple[Login, ...] = Field(min_length=1)
    """Several are valid at once, so that a password can be changed without a gap."""


class AcmeCaller(NamedTuple):
    """An Acme system that logged in."""

    known: KnownCaller
    content_type: str
    success_status: int = 202

    def expect(self) -> None:
        """Acme sends JSON; what it does not send is not guessed at."""
        if media_type(self.content_type).name not in JSON_TYPES:
            raise Rejected("EVT-004", "reading a notification")

    def event(self, body: bytes, now: Millis) -> Event | None:
        """The event of a notification."""
        try:
            notice = Notice.model_validate_json(body)
        except ValidationError:
            raise Rejected("EVT-001", "reading a notification") from None
        return event_of(self.known.tenant.name, notice, now)


class AcmeSource:
    """See :class:`connector.core.source.Source`: callers are known before the body is read."""

    name: ClassVar[str] = "acme"
    settings_model: ClassVar[type[BaseModel]] = AcmeWebhook
    capabilities: ClassVar[SourceCapabilities] = SourceCapabilities(
        label=LABEL,
        pull=True,
        challenge='Basic realm="pki-connector"',
        failed_code="AUTH-001",
        event_kinds=tuple(meaning.kind for _, meaning in MEANINGS.values()),
    )

    feed: ClassVar[type[Feed]] = AcmeFeed

    def __init__(self, senders: Sequence[Sender]) -> None:
        """Take all senders: they are compared in constant time, known or not."""
        self._basic = BasicAuthentication([_with_secrets(one) for one in senders])

    def caller(self, head: Head) -> AcmeCaller:
        """Who logged in. Without credentials they are asked for; that is no failed try."""
        offered = head.headers.get("Authorization")
        if offered is None:
            raise Rejected(NO_CREDENTIALS, "authenticating a webhook")
        known = self._basic.caller(head.sender, offered)
        return AcmeCaller(known, head.headers.get("Content-Type", ""))

    def verified(self, head: Head, body: bytes, now: Millis) -> AcmeCaller:  # noqa: ARG002
        """Not asked: the head proves the caller."""
        raise Rejected(self.capabilities.failed_code, "authenticating a webhook")


def _with_secrets(sender: Sender) -> BasicSender:
    settings = cast("AcmeWebhook", sender.settings)
    logins = ((one.user, sender.secret(one.password_file)) for one in settings.credentials)
    return BasicSender(sender.name, tuple(logins))
