"""The operators' service behind its socket, from the parts of the process."""

import uuid
from collections.abc import Callable, Mapping, Sequence

from connector.admin.planner import Planner
from connector.admin.records import UpstreamView
from connector.admin.server import AdminServer
from connector.admin.service import OperatorService, Surroundings
from connector.assembly.clock import MachineClock
from connector.assembly.observation import program_version
from connector.core.conditions import Condition
from connector.core.journal import Journal
from connector.core.metrics import Metrics
from connector.core.policy import RoutePolicy
from connector.core.ports import EscrowBackend, Target
from connector.core.secret import Credential
from connector.settings.model import Settings
from connector.worker.gate import Gate


class Operators:
    """Makes the operators' server of one process."""

    def __init__(
        self,
        settings: Settings,
        clock: MachineClock,
        gate: Gate,
        metrics: Metrics,
        conditions: Callable[[], Sequence[Condition]],
    ) -> None:
        """Keep what every answer needs."""
        self._metrics = metrics
        self._settings = settings
        self._clock = clock
        self._gate = gate
        self._conditions = conditions
        self._policies: Mapping[str, RoutePolicy] = settings.policies()

    def server(
        self,
        journal: Journal,
        backends: Mapping[str, EscrowBackend],
        targets: Mapping[str, Target],
        audit_keys: Sequence[Credential],
    ) -> AdminServer:
        """The server, not yet listening."""
        planner = Planner(lambda: self._policies, backends, targets, self._clock.now)
        around = Surroundings(
            clock=self._clock,
            unique=lambda: uuid.uuid4().hex,
            audit_key=audit_keys[0],
            old_audit_keys=audit_keys[1:],
            routes=lambda: self._policies,
            upstreams=self._upstreams,
            version=program_version(),
            verified=lambda whole: self._metrics.audit_verified(whole=whole),
            conditions=self._conditions,
        )
        admin = self._settings.service.admin
        return AdminServer(OperatorService(journal, planner, around), admin.socket, admin.uids)

    def _upstreams(self) -> Sequence[UpstreamView]:
        return [
            UpstreamView(name=name, state=state, code=fault.code if fault else None)
            for name, (state, fault) in self._gate.states().items()
        ]
