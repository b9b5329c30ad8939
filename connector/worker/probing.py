"""Probe an upstream, and turn a plug-in's exception into a fault."""

import asyncio
from collections.abc import Callable

from pydantic import ValidationError

from connector.core.errors import ConnectorError, Family, Fault, Transient
from connector.core.ports import EscrowBackend, Target

PROBE_SECONDS = 30.0
LOOK_SECONDS = 300.0
"""Seconds that one look may take in all, so that none occupies its place for ever."""
NO_ANSWER = {"ca": "CA-001", "uem": "UEM-001"}

Unexpected = Callable[[str, BaseException], None]
"""Called with the stage at which a plug-in raised something that it must not raise."""


async def probe(kind: str, port: EscrowBackend | Target, unexpected: Unexpected) -> Fault | None:
    """Probe an upstream (``kind``: ``ca`` or ``uem``); return the fault, None if it answers."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await port.probe()
    except TimeoutError:
        return Fault(code=NO_ANSWER[kind], family=Family.TRANSIENT, detail="probing: no answer")
    except Exception as error:  # noqa: BLE001 - a plug-in's bug must not stop the loop
        return fault_of(error, "probe", unexpected)
    return None


def too_slow(upstream: str) -> Transient:
    """The error of a look that took longer than its limit."""
    kind, _, _ = upstream.partition(":")
    return Transient(NO_ANSWER[kind], "looking: the total time limit was exceeded")


def fault_of(error: Exception, stage: str, unexpected: Unexpected) -> Fault:
    """The fault in an exception of a plug-in; ``PLG-001`` for one that it must not raise."""
    try:
        fault = error.fault() if isinstance(error, ConnectorError) else None
    except ValidationError:  # its code or its numbers are invalid
        fault = None
    if fault is not None:
        return fault
    unexpected(stage, error)
    return Fault(code="PLG-001", family=Family.TRANSIENT, detail=f"raised {type(error).__name__}")
