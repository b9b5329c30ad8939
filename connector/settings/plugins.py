"""The plug-ins that are installed, found by entry point.

A plug-in is a class with ``name``, ``settings_model`` and ``capabilities``
(:class:`connector.core.ports.EscrowBackend`, :class:`connector.core.ports.Target`).
"""

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any, NamedTuple

from pydantic import BaseModel

from connector.core.errors import Permanent

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


def plugin_class(group: str, name: str) -> Any:
    """The plug-in ``name`` of a group (``ESCROW`` or ``TARGETS``).

    Raises:
        Permanent: ``CFG-004`` when none of that name is installed or it cannot be loaded.
    """
    for point in entry_points(group=group, name=name):
        try:
            return point.load()
        except (ImportError, AttributeError) as error:
            text = f"loading plug-in {name}: {type(error).__name__}"
            raise Permanent("CFG-004", text) from error
    raise Permanent("CFG-004", f"no plug-in {name} is installed in {group}")
