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


def installed() -> Plugins:
    """All installed plug-ins. One that cannot be loaded is reported, and spoils no other."""
    broken: dict[str, str] = {}
    return Plugins(_models(plugins.ESCROW, broken), _models(plugins.TARGETS, broken), broken)


def _models(group: str, broken: dict[str, str]) -> dict[str, type[BaseModel]]:
    models = {}
    for entry in plugins.installed(group):
        try:
            models[entry.name] = plugins.load(entry).settings_model
        except Permanent as error:
            broken[entry.name] = error.detail
    return models
