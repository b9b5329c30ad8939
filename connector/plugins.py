"""Sources, escrow backends and targets by their entry points; any distribution may bring some.

A backend or target is a class with ``name``, ``settings_model``, ``capabilities`` and ``reach``
(:class:`connector.core.ports.EscrowBackend`, :class:`connector.core.ports.Target`), a source one
with ``capabilities`` (:class:`connector.core.source.SourceCapabilities`) and what these declare:
``settings_model`` of its webhook (:class:`connector.core.source.Source`), ``feed``
(:class:`connector.core.feed.Feed`).
"""

from collections.abc import Container
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from connector.core.errors import Permanent

ESCROW: Final = "pki_connector.escrow"
TARGETS: Final = "pki_connector.targets"
SOURCES: Final = "pki_connector.sources"
SIGNED: Final = "standard_webhooks"
"""The source of every escrow backend that brings none of its own."""

MEMBERS = ("settings_model", "capabilities", "reach")
"""What an escrow backend and a target must have."""


def installed(group: str) -> tuple[EntryPoint, ...]:
    """The entry points of one of the three groups; nothing is loaded yet."""
    return tuple(entry_points(group=group))


def load(entry: EntryPoint) -> Any:
    """The class of a plug-in.

    Raises:
        Permanent: ``CFG-004`` with the class of the error that its module raised.
    """
    try:
        plugin = entry.load()
        for member in _of_source(plugin) if entry.group == SOURCES else MEMBERS:
            getattr(plugin, member)
    except Exception as error:  # noqa: BLE001 - importing runs third-party code
        raise Permanent("CFG-004", f"loading a plug-in: {type(error).__name__}") from None
    return plugin


def _of_source(plugin: Any) -> tuple[str, ...]:
    members = {"settings_model": plugin.capabilities.webhook, "feed": plugin.capabilities.pull}
    return tuple(name for name, declared in members.items() if declared)


def source_of(group: str, plugin: str, sources: Container[str]) -> str | None:
    """The source of an escrow backend or target: the one of its name.

    Backends without one have :data:`SIGNED`, as CAs can be taught to post signed notices.
    """
    if plugin in sources:
        return plugin
    return SIGNED if group == ESCROW and SIGNED in sources else None
