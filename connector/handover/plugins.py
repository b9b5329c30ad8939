"""Finds escrow backends and targets by their entry points; any distribution may bring some."""

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from connector.core.errors import Permanent
from connector.core.handover import PluginReference
from connector.core.ports import EscrowBackend, Target

ESCROW = "pki_connector.escrow"
TARGETS = "pki_connector.targets"


def open_escrow(reference: PluginReference) -> EscrowBackend:
    """The escrow backend of a job, made from its settings.

    Raises:
        Permanent: ``CFG-004`` when no such plug-in is installed.
    """
    backend: EscrowBackend = _made(ESCROW, reference)
    return backend


def open_target(reference: PluginReference) -> Target:
    """The target of a job, made from its settings.

    Raises:
        Permanent: ``CFG-004`` when no such plug-in is installed.
    """
    target: Target = _made(TARGETS, reference)
    return target


def preload() -> None:
    """Load every installed plug-in, so that the processes forked later find them loaded."""
    for group in (ESCROW, TARGETS):
        for entry in entry_points(group=group):
            _loaded[group, entry.name] = entry.load()


_loaded: dict[tuple[str, str], Any] = {}
"""Classes by group and name: looking an entry point up reads the metadata of all packages."""


def _made(group: str, reference: PluginReference) -> Any:
    plugin = _loaded.get((group, reference.plugin)) or _found(group, reference.plugin).load()
    settings = plugin.settings_model.model_validate(reference.settings)
    return plugin(reference.name, settings)


def _found(group: str, name: str) -> EntryPoint:
    found = tuple(entry_points(group=group, name=name))
    if not found:
        raise Permanent("CFG-004", f"finding a plug-in in {group}")
    return found[0]
