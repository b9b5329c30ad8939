"""Settings of the upstreams. A plug-in brings its own part; this is what is added to it.

For each installed plug-in a model is built from its settings model and :class:`UemSettings` or
:class:`CaSettings`; the member ``type`` (the plug-in's entry-point name) tells them apart.
"""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, JsonValue, model_validator

from connector.core.handover import PluginReference
from connector.core.upstream import UpstreamSettings
from connector.settings.values import Period, Section

OURS = frozenset({"type", "webhook"})


class WebhookCredential(Section):
    """One user name and password that the UEM may log in with."""

    user: str = Field(min_length=1, max_length=128, pattern=r"^[^:\x00-\x1f]+$")
    """User name; must not contain a colon (RFC 7617 section 2)."""
    password_file: Path
    """Its password (a mounted secret)."""


class UemWebhook(Section):
    """Event notifications of this UEM, at ``/hooks/TYPE/NAME``."""

    format: Literal["json", "xml"] = "json"
    """Format chosen in the UEM's console."""
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


class CaWebhook(Section):
    """Notices of this CA about certificates, at ``/hooks/ca/NAME``, signed (Standard Webhooks)."""

    secret_files: tuple[Path, ...] = Field(min_length=1)
    """Signing secrets (mounted); several are valid at once, so that one can be changed."""
    tolerance: Annotated[Period, Field(le=timedelta(hours=1))] = timedelta(minutes=5)
    """Largest difference between the notice's time and ours."""


class Upstream(UpstreamSettings):
    """What both kinds of upstream have: the plug-in and how to construct it."""

    type: str = Field(description="Name of the plug-in that speaks to it.")

    def reference(self, name: str) -> PluginReference:
        """The plug-in with its own settings as JSON, ``name`` being the upstream's name here."""
        return PluginReference(plugin=self.type, name=name, settings=self.plugin_settings())

    def plugin_settings(self) -> dict[str, JsonValue]:
        """The plug-in's part alone, ready for its settings model's ``model_validate``."""
        part: dict[str, Any] = self.model_dump(mode="json", exclude=set(OURS))
        return part


class UemSettings(Upstream):
    """A UEM: the plug-in's settings, and its webhook."""

    webhook: UemWebhook | None = Field(
        default=None, description="Its event notifications; without them nothing is noticed."
    )


class CaSettings(Upstream):
    """A CA: the plug-in's settings, and its webhook."""

    webhook: CaWebhook | None = Field(
        default=None, description="Its notices that certificates changed."
    )
