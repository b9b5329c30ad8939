"""Asking every configured upstream once whether it answers us, without a service that runs."""

import asyncio
from collections.abc import Callable
from math import inf

from connector.catalogue import catalogue
from connector.core.errors import Fault
from connector.core.handover import PluginReference
from connector.core.ports import EscrowBackend, Target
from connector.keys.handover.plugins import open_escrow, open_target
from connector.settings.model import Settings
from connector.settings.report import Answer
from connector.upstream import RequestLimit
from connector.wiring.ports import references
from connector.worker.probing import fault_of, probe


async def connect(settings: Settings) -> tuple[Answer, ...]:
    """Send each upstream its probe, with its TLS, proxy and credentials.

    No user is looked at, nothing is listed and no key is fetched.
    """
    asked = [_asked(name, reference) for name, reference in references(settings).items()]
    return tuple(await asyncio.gather(*asked))


async def _asked(upstream: str, reference: PluginReference) -> Answer:
    kind, _, _ = upstream.partition(":")
    opening: Callable[..., EscrowBackend | Target] = open_escrow if kind == "ca" else open_target
    try:
        async with opening(reference, RequestLimit(rate=lambda: inf)) as port:
            fault = await probe(kind, port, _unexpected)
    except Exception as error:  # noqa: BLE001 - one upstream's fault must not hide the others
        fault = fault_of(error, "opening", _unexpected)
    return _answer(upstream, fault)


def _answer(upstream: str, fault: Fault | None) -> Answer:
    if fault is None:
        return Answer(upstream=upstream)
    action = catalogue()[fault.code].action if fault.code in catalogue() else ""
    return Answer(upstream=upstream, code=fault.code, detail=fault.detail, action=action)


def _unexpected(_stage: str, _error: BaseException) -> None:
    """The fault names the class of what a plug-in raised; here is no log for more."""
