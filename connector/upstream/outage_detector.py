"""Tell an outage of an upstream from a fault of one resource.

A timeout, a status 5xx, a 403 or a 429 may be caused by one record that the server cannot handle,
does not show us or limits by itself. If it counted as a fault of the whole upstream, it would pause
all holders again and again, as long as that record is requested. So it concerns the one request,
unless a probe fails as well: a request that concerns no user and needs the same rights and the same
parts of the server.

The probe is sent at the first 403, because that would end a delivery, and a lost role would end
them all; and at the first 429 that outlasts the wait for it, because the upstream may have asked
for an hour, which either nothing may be sent or only this one request. What is tried again anyway
has time: the probe is sent when several different resources failed with nothing answered in
between.
"""

import asyncio
from collections.abc import Awaitable, Callable

from connector.core.errors import ConnectorError, Permanent, Scope, raised
from connector.upstream.faults import FAILING, OF_THE_UPSTREAM, Kind, kind_of_status

DIFFERENT = 3
"""This many resources in a row are no coincidence; one holder's look touches at most two before
it is given up."""

Probe = Callable[[], Awaitable[None]]
"""Raises the fault that it meets."""


class Probing:
    """Sends one probe for all callers in doubt; it counts for those that asked before it began."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._begun = self._ended = 0
        self._met: ConnectorError | None = None
        self._refused = self._doubtful = False
        self._turn = asyncio.Lock()

    async def answered(self) -> bool:
        """Whether a probe is answered; a refusal of the one request is an answer, too.

        An answer right after a probe without one proves nothing: the failure may have happened
        before the outage was over.

        Raises:
            ConnectorError: the probe's failure, if it is a fault of the whole upstream.
        """
        before = self._begun
        async with self._turn:
            if self._ended <= before:
                await self._send()
        if self._met is not None and self._met.scope is Scope.UPSTREAM:
            raise raised(self._met.fault())
        met = self._met
        return not self._doubtful and (met is None or isinstance(met, Permanent))

    def served(self) -> None:
        """A subject's request succeeded: an outage before it is over."""
        self._refused = False

    async def _send(self) -> None:
        self._begun += 1
        met = None
        try:
            await self._probe()
        except ConnectorError as error:
            met = error
        refused = met is not None and met.scope is Scope.UPSTREAM
        self._doubtful, self._refused = self._refused and not refused, refused
        self._met, self._ended = met, self._begun


class Suspicion:
    """Remembers which resources of one upstream failed since it last answered.

    Args:
        probing: asked once enough resources failed; without it they are proof enough.
        different: how many are enough.
    """

    def __init__(self, probing: Probing | None, different: int) -> None:
        self._probing = probing
        self._different = different
        self._failed: set[str] = set()

    async def confirmed(self, resource: str) -> bool:
        """Note a failure; whether it counts as the upstream's. ``resource`` is its address.

        Raises:
            ConnectorError: as :meth:`Probing.answered`.
        """
        if len(self._failed) < self._different:
            self._failed.add(resource)
        if len(self._failed) < self._different:
            return False
        if self._probing is None or not await self._probing.answered():
            return True
        self.allayed()
        return False

    def allayed(self) -> None:
        """Forget the failures: the upstream answered."""
        self._failed.clear()


class OutageDetector:
    """Decides for each failure whether it is one resource's or the upstream's.

    Args:
        probe: asks for what is no single subject's; without it different resources decide alone.
    """

    def __init__(self, probe: Probe | None) -> None:
        self._probing = Probing(probe) if probe is not None else None
        self._failing = Suspicion(self._probing, DIFFERENT)
        self._barring = Suspicion(self._probing, DIFFERENT if probe is None else 1)
        self._throttling = Suspicion(self._probing, 1)

    def answered(self, status: int) -> None:
        """A single subject's request was answered.

        A refusal shows that the server works, not that our rights are in order.
        """
        if status < FAILING:
            self._failing.allayed()
        if status < 300 and self._probing is not None:  # noqa: PLR2004 - RFC 9110 15.3
            self._probing.served()
        if status < 300 or kind_of_status(status) is Kind.UNKNOWN:  # noqa: PLR2004 - RFC 9110 15.3
            self._barring.allayed()

    async def judged(self, kind: Kind, resource: str, *, of_all: bool = False) -> Kind:
        """The kind of a failure, which is the upstream's where more than one resource has it.

        ``of_all``: what was asked for is no single subject's. Raises as
        :meth:`Suspicion.confirmed`.
        """
        wider = OF_THE_UPSTREAM.get(kind)
        if wider is None:
            return kind
        by_kind = {Kind.BARRED: self._barring, Kind.SLOW_DOWN: self._throttling}
        suspicion = by_kind.get(kind, self._failing)
        return wider if of_all or await suspicion.confirmed(resource) else kind
