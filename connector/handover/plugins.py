"""Finds escrow backends and targets by their entry points; any distribution may bring some."""

from contextlib import suppress
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
        Permanent: ``CFG-004`` when no such plug-in is installed, or it does not load.
    """
    backend: EscrowBackend = _made(ESCROW, reference)
    return backend


def open_target(reference: PluginReference) -> Target:
    """The target of a job, made from its settings.

    Raises:
        Permanent: ``CFG-004`` when no such plug-in is installed, or it does not load.
    """
    target: Target = _made(TARGETS, reference)
    return target


def preload() -> None:
    """Load every installed plug-in, so that the processes forked later find them loaded.

    One that does not load is passed over; the job that names it is told why.
    """
    for group in (ESCROW, TARGETS):
        for entry in entry_points(group=group):
            with suppress(Permanent):
                _loaded[group, entry.name] = _load(entry)


_loaded: dict[tuple[str, str], Any] = {}
"""Classes by group and name: looking an entry point up reads the metadata of all packages."""


def _made(group: str, reference: PluginReference) -> Any:
    plugin = _loaded.get((group, reference.plugin)) or _load(_found(group, reference.plugin))
    settings = plugin.settings_model.model_validate(reference.settings)
    return plugin(reference.name, settings)


def _found(group: str, name: str) -> EntryPoint:
    found = tuple(entry_points(group=group, name=name))
    if not found:
        raise Permanent("CFG-004", f"finding a plug-in in {group}")
    return found[0]


def _load(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except (ImportError, AttributeError):
        raise Permanent("CFG-004", f"loading a plug-in of {entry.group}") from None
