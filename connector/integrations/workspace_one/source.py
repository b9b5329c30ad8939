"""Event notifications of a Workspace ONE UEM console: HTTP Basic, JSON or XML.

Set in the console under System, Advanced, API, Event Notifications.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple, Self, cast

from pydantic import BaseModel, Field, model_validator

from connector.core.errors import Rejected
from connector.core.events import Event
from connector.core.model import Millis
from connector.core.source import NO_CREDENTIALS, Head, Sender, SourceCapabilities
from connector.core.values import Section
from connector.decoding import JSON_TYPES, XML_TYPES, media_type
from connector.integrations.workspace_one.notifications import LABEL, normalise
from connector.sources.authentication import BasicAuthentication, KnownCaller
from connector.sources.tenants import BasicSender

MEDIA_TYPES = {"json": JSON_TYPES, "xml": XML_TYPES, "any": JSON_TYPES | XML_TYPES}


class WebhookCredential(Section):
    """One user name and password that the UEM may log in with."""

    user: str = Field(min_length=1, max_length=128, pattern=r"^[^:\x00-\x1f]+$")
    """User name; must not contain a colon (RFC 7617 section 2)."""
    password_file: Path
    """Its password (a mounted secret)."""


class WorkspaceOneWebhook(Section):
    """Event notifications of this UEM, at ``/hooks/workspace_one/NAME``."""

    format: Literal["json", "xml", "any"] = "json"
    """Format chosen in the UEM's console; ``any`` while it is being changed there."""
    success_status: Literal[200, 202, 204] = 200
    """Status of an accepted notification."""
    credentials: tuple[WebhookCredential, ...] = Field(min_length=1)
    """Several are valid at once, so that a password can be changed without a gap."""

    @model_validator(mode="after")
    def _users_differ_or_passwords_do(self) -> Self:
        pairs = [(credential.user, credential.password_file) for credential in self.credentials]
        if len(set(pairs)) != len(pairs):
            raise ValueError("names the same user and password_file twice")
        return self


class Console(NamedTuple):
    """An authenticated console, and the head of its request."""

    known: KnownCaller
    settings: WorkspaceOneWebhook
    content_type: str

    @property
    def success_status(self) -> int:
        """The status that the console is set to expect."""
        return self.settings.success_status

    def expect(self) -> None:
        """Raise ``EVT-004`` unless the body is in the format that the console is set to send."""
        if media_type(self.content_type).name not in MEDIA_TYPES[self.settings.format]:
            raise Rejected("EVT-004", "reading a notification")

    def event(self, body: bytes, now: Millis) -> Event | None:
        """See :func:`connector.integrations.workspace_one.notifications.normalise`."""
        return normalise(self.known.notification(body, media_type(self.content_type)), now)


class WorkspaceOneSource:
    """See :class:`connector.core.source.Source`: the head authenticates the caller."""

    name: ClassVar[str] = "workspace_one"
    settings_model: ClassVar[type[BaseModel]] = WorkspaceOneWebhook
    capabilities: ClassVar[SourceCapabilities] = SourceCapabilities(
        label=LABEL,
        challenge='Basic realm="pki-connector", charset="UTF-8"',
        failed_code="AUTH-001",
        event_kinds=("device_enrolled", "device_unenrolled", "device_changed"),
        test_calls=True,
        addresses=("workspace-one",),
    )

    def __init__(self, senders: Sequence[Sender]) -> None:
        self._settings = {one.name: cast("WorkspaceOneWebhook", one.settings) for one in senders}
        self._basic = BasicAuthentication([_with_credentials(one) for one in senders])

    def caller(self, head: Head) -> Console | None:
        """The console whose credentials these are."""
        offered = head.headers.get("Authorization")
        if offered is None:  # a client may wait for the challenge (RFC 9110 section 11.6.1)
            raise Rejected(NO_CREDENTIALS, "authenticating a webhook")
        known = self._basic.caller(head.sender, offered)
        settings = self._settings[head.sender]
        return Console(known, settings, head.headers.get("Content-Type", ""))

    def verified(self, head: Head, body: bytes, now: Millis) -> Console:  # noqa: ARG002 - the port's
        """Never called: the head authenticates the caller."""
        raise Rejected("AUTH-001", "authenticating a webhook")


def _with_credentials(sender: Sender) -> BasicSender:
    settings = cast("WorkspaceOneWebhook", sender.settings)
    credentials = tuple(
        (one.user, sender.secret(one.password_file)) for one in settings.credentials
    )
    return BasicSender(sender.name, credentials)
