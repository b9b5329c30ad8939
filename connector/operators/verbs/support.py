"""The verb behind ``support-bundle``: what the process knows of itself, without names."""

from typing import Literal

from connector.core.conditions import Severity
from connector.core.model import Millis, Record
from connector.operators.verbs.status import CredentialView, PhaseCount, Stuck
from connector.operators.verbs.verb import Method, Nothing, Verb


class ProcessView(Record):
    """What one process publishes: its metrics as text, and its last log lines."""

    metrics: str = ""
    log: tuple[str, ...] = ()


class BareCondition(Record):
    """A condition without its text, which may name a subject."""

    severity: Severity
    code: str
    since: Millis | None = None


class BareUpstream(Record):
    """How an upstream stands, without the detail, which may name a user or device."""

    name: str
    state: Literal["closed", "half_open", "open"]
    code: str | None = None
    since: Millis | None = None
    last_success: Millis | None = None


class BarePartition(Record):
    """A partition's counters and the head of its audit log."""

    partition: int
    epoch: int
    commits: int
    audit_count: int
    audit_head: str
    audit_cut: int


class Support(Record):
    """The service for those who help from outside: no name of a person or device, no secret."""

    now: Millis
    version: str
    python: str
    pauses: int
    conditions: tuple[BareCondition, ...]
    counts: tuple[PhaseCount, ...]
    partitions: tuple[BarePartition, ...]
    upstreams: tuple[BareUpstream, ...]
    dead_letters: int
    needs_person: tuple[Stuck, ...]
    credentials: tuple[CredentialView, ...]
    process: ProcessView


SUPPORT = Verb("support", Method.GET, "/v1/support", Nothing, Support)
