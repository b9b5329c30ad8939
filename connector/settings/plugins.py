"""The settings models of the plug-ins that are installed."""

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import BaseModel

from connector import plugins
from connector.core.errors import Permanent


class Plugins(NamedTuple):
    """The settings models of the installed plug-ins, by entry-point name.

    ``broken`` names those that could not be loaded, and what happened.
    """

    escrow: dict[str, type[BaseModel]]
    targets: dict[str, type[BaseModel]]
    broken: Mapping[str, str] = {}
    sources: Mapping[str, type[BaseModel]] = {}

    def webhook(self, group: str, plugin: str) -> type[BaseModel] | None:
        """Settings of the source that belongs to an escrow backend or target, if there is one."""
        name = plugins.source_of(group, plugin, self.sources)
        return None if name is None else self.sources[name]


def installed() -> Plugins:
    """All installed plug-ins. One that cannot be loaded is reported, and spoils no other."""
    broken: dict[str, str] = {}
    escrow, targets, sources = (
        _models(group, broken) for group in (plugins.ESCROW, plugins.TARGETS, plugins.SOURCES)
    )
    return Plugins(escrow, targets, broken, sources)


def _models(group: str, broken: dict[str, str]) -> dict[str, type[BaseModel]]:
    models = {}
    for entry in plugins.installed(group):
        try:
            models[entry.name] = plugins.load(entry).settings_model
        except Permanent as error:
            broken[entry.name] = error.detail
    return models
