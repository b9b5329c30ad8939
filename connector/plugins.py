"""Escrow backends and targets by their entry points; any distribution may bring some.

A plug-in is a class with ``name``, ``settings_model``, ``capabilities`` and ``reach``
(:class:`connector.core.ports.EscrowBackend`, :class:`connector.core.ports.Target`).
"""

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from connector.core.errors import Permanent

ESCROW = "pki_connector.escrow"
TARGETS = "pki_connector.targets"


def installed(group: str) -> tuple[EntryPoint, ...]:
    """The entry points of :data:`ESCROW` or :data:`TARGETS`; nothing is loaded yet."""
    return tuple(entry_points(group=group))


def load(entry: EntryPoint) -> Any:
    """The class of a plug-in.

    Raises:
        Permanent: ``CFG-004`` with the kind of error, whatever its module raised.
    """
    try:
        plugin = entry.load()
        _ = plugin.settings_model, plugin.reach
    except Exception as error:  # noqa: BLE001 - importing runs code of somebody else
        raise Permanent("CFG-004", f"loading a plug-in: {type(error).__name__}") from None
    return plugin
