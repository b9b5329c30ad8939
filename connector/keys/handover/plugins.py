"""Constructing the plug-ins that a job names, in the service and in hand-over processes alike."""

from contextlib import suppress
from math import inf
from typing import Any

from connector import plugins
from connector.core.errors import Permanent
from connector.core.handover import HandoverJob, PluginReference
from connector.core.ports import EscrowBackend, RequestPermits, Target
from connector.upstream import RequestLimit


def open_escrow(reference: PluginReference, permits: RequestPermits) -> EscrowBackend:
    """The escrow backend of a job, made from its settings; not opened yet.

    Raises:
        Permanent: ``CFG-004`` when no such plug-in is installed, or it does not load; ``CFG-006``
            when it recovers one generation of a person at a time, because turns are not
            implemented, and two holders of one person would disturb each other.
    """
    backend: EscrowBackend = _made(plugins.ESCROW, reference, permits)
    if backend.capabilities.one_at_a_time:
        raise Permanent("CFG-006", "opening an escrow backend")
    return backend


def open_target(reference: PluginReference, permits: RequestPermits) -> Target:
    """The target of a job, made from its settings; not opened yet.

    Raises:
        Permanent: ``CFG-004`` when no such plug-in is installed, or it does not load.
    """
    target: Target = _made(plugins.TARGETS, reference, permits)
    return target


def open_plugins(job: HandoverJob) -> tuple[EscrowBackend, Target]:
    """Both plug-ins of a job, each with the part of the rate that this one process may use.

    Raises:
        Permanent: as :func:`open_escrow` and :func:`open_target`.
    """
    escrow = open_escrow(job.escrow, _limit(job.ca_rate))
    return escrow, open_target(job.target, _limit(job.uem_rate))


def _limit(rate: float | None) -> RequestLimit:
    return RequestLimit(rate=lambda: inf if rate is None else rate)


def preload() -> None:
    """Load every installed plug-in, so that the processes forked later find them loaded.

    One that does not load is skipped; a job that names it fails with the reason.
    """
    for group in (plugins.ESCROW, plugins.TARGETS):
        for entry in plugins.installed(group):
            with suppress(Permanent):
                _loaded[group, entry.name] = plugins.load(entry)


_loaded: dict[tuple[str, str], Any] = {}
"""Classes by group and name: looking an entry point up reads the metadata of all packages."""


def _made(group: str, reference: PluginReference, permits: RequestPermits) -> Any:
    plugin = _loaded.get((group, reference.plugin)) or _found(group, reference.plugin)
    settings = plugin.settings_model.model_validate(reference.settings)
    return plugin(reference.name, settings, permits)


def _found(group: str, name: str) -> Any:
    for entry in plugins.installed(group):
        if entry.name == name:
            return plugins.load(entry)
    raise Permanent("CFG-004", f"finding a plug-in in {group}")
