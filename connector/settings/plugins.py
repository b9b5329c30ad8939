"""The settings models of the plug-ins that are installed."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel

from connector import plugins
from connector.core.errors import Permanent


class Plugins(NamedTuple):
    """The settings models of the installed plug-ins, by entry-point name.

    ``broken`` names those that could not be loaded, and what happened. ``sources`` are those with a
    webhook, ``feeds`` those that are pulled from.
    """

    escrow: dict[str, type[BaseModel]]
    targets: dict[str, type[BaseModel]]
    broken: Mapping[str, str] = {}
    sources: Mapping[str, type[BaseModel]] = {}
    feeds: Mapping[str, type[BaseModel]] = {}

    def webhook(self, group: str, plugin: str) -> type[BaseModel] | None:
        """Settings of the source that belongs to an escrow backend or target, if there is one."""
        name = plugins.source_of(group, plugin, self.sources)
        return None if name is None else self.sources[name]

    def feed(self, group: str, plugin: str) -> type[BaseModel] | None:
        """Settings of its feed, if there is one."""
        name = plugins.source_of(group, plugin, self.feeds)
        return None if name is None else self.feeds[name]


def installed() -> Plugins:
    """All installed plug-ins. One that cannot be loaded is reported, and spoils no other."""
    broken: dict[str, str] = {}
    escrow, targets, sources = (
        _loaded(group, broken) for group in (plugins.ESCROW, plugins.TARGETS, plugins.SOURCES)
    )
    return Plugins(
        _models(escrow),
        _models(targets),
        broken,
        _models({name: one for name, one in sources.items() if one.capabilities.webhook}),
        _models({name: one.feed for name, one in sources.items() if one.capabilities.pull}),
    )


def _models(loaded: Mapping[str, Any]) -> dict[str, type[BaseModel]]:
    return {name: one.settings_model for name, one in loaded.items()}


def _loaded(group: str, broken: dict[str, str]) -> dict[str, Any]:
    classes = {}
    for entry in plugins.installed(group):
        try:
            classes[entry.name] = plugins.load(entry)
        except Permanent as error:
            broken[entry.name] = error.detail
    return classes
