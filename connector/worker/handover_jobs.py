"""The job of a hand-over process, made from the act's record and its route."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite

from connector.core.errors import ConnectorError, Permanent, Scope
from connector.core.handover import HandoverJob, PluginReference
from connector.core.model import SECOND, Millis, SubjectKey, parse_subject
from connector.core.policy import RoutePolicy
from connector.core.states import Running
from connector.crash import CrashBy

PROBE_REQUESTS = 3
"""An upload that is refused with 403 is followed by a probe: of this user only, or of all?"""


@dataclass(frozen=True, slots=True)
class HandoverJobs:
    """Makes jobs of hand-overs.

    Args:
        references: how a hand-over process constructs the plug-ins, by ``ca:`` and ``uem:``.
        paces: requests per second that one hand-over process may send to an upstream.
        refusal: why the service did not take up the mounted files of an upstream, if so. The
            process reads them itself, and is not to use what the service does not.
        crash_at: crash point for the child, in tests only.
        crash_by: whether it is killed or stopped there.
    """

    references: Mapping[str, PluginReference]
    paces: Callable[[str], float]
    refusal: Callable[[str], ConnectorError | None]
    crash_at: str | None = None
    crash_by: CrashBy = "kill"

    def job(self, key: SubjectKey, running: Running, route: RoutePolicy) -> HandoverJob:
        """The job of one hand-over, which is just beginning.

        Raises:
            Permanent: ``DLV-006`` when the record is of an earlier version; the refusal of an
                upstream's files, as a fault of the whole upstream.
        """
        if running.digest is None or running.rules is None:
            raise Permanent("DLV-006", "no set has been chosen")
        ca, uem = f"ca:{route.ca}", f"uem:{route.uem}"
        for name in (ca, uem):
            if (error := self.refusal(name)) is not None:
                raise Permanent(error.code, error.detail, scope=Scope.UPSTREAM, upstream=name)
        return HandoverJob(
            attempt=running.attempt,
            holder=parse_subject(key).id,
            person=running.person,
            route=route.name,
            escrow=self.references[ca],
            target=self.references[uem],
            entries=running.entries,
            requests=running.requests,
            digest=running.digest,
            address=running.address,
            now=running.started_at,
            rules=running.rules,
            pkcs12_profile=route.pkcs12_profile,
            issuers_file=route.issuers_file,
            limit=running.limit / SECOND,
            ca_rate=self._rate(ca, len(running.entries), running.limit),
            uem_rate=self._rate(uem, 1 + PROBE_REQUESTS, running.limit),
            crash_at=self.crash_at,
            crash_by=self.crash_by,
        )

    def _rate(self, upstream: str, requests: int, limit: Millis) -> float | None:
        """Requests per second that one hand-over may send.

        At least the rate at which its requests need half of its time limit: at a lower rate it
        would be ended before its last request, and so would every retry. The service slows down
        elsewhere for what this exceeds the share.
        """
        rate = max(self.paces(upstream), 2 * SECOND * (requests + 1) / limit)
        return rate if isfinite(rate) else None
