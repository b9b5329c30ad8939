"""The parts of a running service."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.core.secret import Credential
from connector.observe.health import Health
from connector.observe.server import ObserveServer
from connector.operators.server import AdminServer
from connector.settings.reload import SecretFiles
from connector.sources.server import IntakeServer
from connector.wiring.journal import ServedJournal
from connector.wiring.journal_watch import JournalWatch
from connector.wiring.ports import OpenPorts
from connector.worker.owners import Owners
from connector.worker.upstream_limits import UpstreamLimits


@dataclass(slots=True)
class Parts:
    """What a running service is made of, in the order in which it is opened."""

    journal: ServedJournal
    upstreams: Mapping[str, OpenPorts[Any]]
    limits: UpstreamLimits
    secrets: SecretFiles
    audit_key: Credential
    owners: Owners
    watch: JournalWatch
    intake: IntakeServer
    admin: AdminServer
    health: Health
    observe: ObserveServer
