"""The plug-ins that are installed, found by entry point.

A plug-in is a class with ``name``, ``settings_model`` and ``capabilities``
(:class:`connector.core.ports.EscrowBackend`, :class:`connector.core.ports.Target`).
"""

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import NamedTuple

from pydantic import BaseModel

ESCROW = "pki_connector.escrow"
TARGETS = "pki_connector.targets"


class Plugins(NamedTuple):
    """The settings models of the installed plug-ins, by entry-point name.

    ``broken`` names those that could not be loaded, and the kind of error.
    """

    escrow: dict[str, type[BaseModel]]
    targets: dict[str, type[BaseModel]]
    broken: Mapping[str, str] = {}


def installed() -> Plugins:
    """All installed plug-ins. One that cannot be loaded is reported, and spoils no other."""
    broken: dict[str, str] = {}
    return Plugins(_models(ESCROW, broken), _models(TARGETS, broken), broken)


def _models(group: str, broken: dict[str, str]) -> dict[str, type[BaseModel]]:
    models = {}
    for point in entry_points(group=group):
        try:
            models[point.name] = point.load().settings_model
        except (ImportError, AttributeError) as error:
            broken[point.name] = type(error).__name__
    return models
