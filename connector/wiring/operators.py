"""The operators' service behind its socket, from the parts of the process."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from connector.core.conditions import Condition
from connector.core.feed import FeedPosition
from connector.core.journal import Journal
from connector.core.metric_definitions import AUDIT_CHAIN_VALID
from connector.core.metrics import Metrics
from connector.core.model import SECOND, Millis
from connector.core.policy import RoutePolicy
from connector.core.ports import EscrowBackend, Target
from connector.core.secret import Credential
from connector.operators.conditions import of_refused
from connector.operators.planner import Planner
from connector.operators.server import AdminServer
from connector.operators.service import OperatorService, Surroundings
from connector.operators.verbs.status import CredentialView, FeedView, UpstreamView
from connector.operators.verbs.support import ProcessView
from connector.settings.model import Settings
from connector.sources.refusals import Refused
from connector.wiring.clock import MachineClock
from connector.wiring.observation import program_version
from connector.worker.circuit_breaker import Standing
from connector.worker.upstream_limits import UpstreamLimits


class Shown(NamedTuple):
    """What parts of the process tell for ``status``."""

    conditions: Callable[[], Sequence[Condition]]
    refused: Callable[[], Sequence[Refused]]
    credentials: Callable[[], Sequence[CredentialView]]
    feeds: Callable[[Mapping[str, FeedPosition]], Sequence[FeedView]]
    process: Callable[[], ProcessView]
    routes: Callable[[], Mapping[str, RoutePolicy]]


class Operators:
    """Makes the operators' server of one process."""

    def __init__(
        self,
        settings: Settings,
        clock: MachineClock,
        limits: UpstreamLimits,
        metrics: Metrics,
        shown: Shown,
    ) -> None:
        self._metrics = metrics
        self._settings = settings
        self._clock = clock
        self._limits = limits
        self._shown = shown

    def server(
        self,
        journal: Journal,
        backends: Mapping[str, EscrowBackend],
        targets: Mapping[str, Target],
        audit_keys: Sequence[Credential],
    ) -> AdminServer:
        """The server, not yet listening."""
        planner = Planner(self._shown.routes, backends, targets, self._clock.now)
        around = Surroundings(
            clock=self._clock,
            unique=lambda: uuid.uuid4().hex,
            audit_key=audit_keys[0],
            old_audit_keys=audit_keys[1:],
            routes=self._shown.routes,
            upstreams=self._upstreams,
            version=program_version(),
            verified=partial(self._metrics.gauge, AUDIT_CHAIN_VALID),
            conditions=self._conditions,
            credentials=self._shown.credentials,
            feeds=self._shown.feeds,
            process=self._shown.process,
        )
        admin = self._settings.service.admin
        return AdminServer(
            OperatorService(journal, planner, around).handlers(), admin.socket, admin.uids
        )

    def _conditions(self) -> Sequence[Condition]:
        return [*self._shown.conditions(), *of_refused(self._shown.refused())]

    def _upstreams(self) -> Sequence[UpstreamView]:
        now = self._clock.now()
        return [_upstream(name, one, now) for name, one in self._limits.states().items()]


def _upstream(name: str, one: Standing, now: Millis) -> UpstreamView:
    return UpstreamView(
        name=name,
        state=one.state,
        code=one.fault.code if one.fault else None,
        detail=one.fault.detail if one.fault else "",
        since=now - int(one.age * SECOND),
        next_try=None if one.next_try is None else now + int(one.next_try * SECOND),
        last_success=None if one.answered is None else now - int(one.answered * SECOND),
    )
