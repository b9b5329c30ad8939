"""Settings of the upstreams. A plug-in brings its own part; this is what is added to it.

For each installed plug-in a model is built from its settings model and :class:`UemSettings` or
:class:`CaSettings`; the member ``type`` (the plug-in's entry-point name) tells them apart.
"""

from typing import Any

from pydantic import BaseModel, Field, JsonValue

from connector.core.feed import FeedSettings
from connector.core.handover import PluginReference
from connector.core.upstream import UpstreamSettings

OURS = frozenset({"type", "webhook", "pull"})


class Upstream(UpstreamSettings):
    """What both kinds of upstream have: the plug-in and how to construct it."""

    type: str = Field(description="Name of the plug-in that speaks to it.")
    pull: FeedSettings | None = Field(
        default=None, description="Its events are pulled as well, or instead of a webhook."
    )

    def reference(self, name: str) -> PluginReference:
        """The plug-in with its own settings as JSON, ``name`` being the upstream's name here."""
        return PluginReference(plugin=self.type, name=name, settings=self.plugin_settings())

    def plugin_settings(self) -> dict[str, JsonValue]:
        """The plug-in's part alone, ready for its settings model's ``model_validate``."""
        part: dict[str, Any] = self.model_dump(mode="json", exclude=set(OURS))
        return part


class UemSettings(Upstream):
    """A UEM: the plug-in's settings, and those of its source (:mod:`connector.plugins`)."""

    webhook: BaseModel | None = Field(
        default=None,
        description="Its event notifications; without them, or a pull of its events, the connector "
        "learns of no enrolment.",
    )


class CaSettings(Upstream):
    """A CA: the plug-in's settings, and those of its source."""

    webhook: BaseModel | None = Field(
        default=None, description="Its notifications about changed certificates."
    )
