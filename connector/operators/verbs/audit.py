"""Verbs about the audit log."""

from typing import Annotated

from pydantic import Field

from connector.core.audit import AuditRecord, Finding
from connector.core.model import Millis, Record, Sha256Hex
from connector.operators.verbs.acts import Receipt
from connector.operators.verbs.verb import Method, Number, Reason, Stream, Verb

CUT_AT_ONCE = 256
"""Partitions whose trail is cut with one request."""


class Published(Record):
    """Head and count of a partition's chain as they were published elsewhere.

    ``head`` may be its beginning: the metric has the first twelve digits only.
    """

    partition: Number
    count: Number | None = None
    head: str | None = Field(default=None, pattern=r"^[0-9a-f]{12,64}$")


class VerifyQuery(Record):
    """Heads and counts that were published elsewhere."""

    published: tuple[Published, ...] = Field(default=(), max_length=1024)


class AuditQuery(Record):
    """Which part of the audit log is wanted; ``partition`` None means all of them."""

    partition: Number | None = None
    after: Number = 0


class ChainEnd(Record):
    """A record of a partition's chain: its sequence number and its MAC."""

    partition: Number
    count: Annotated[Number, Field(ge=1)]
    head: Sha256Hex


class CutTrail(Record):
    """Truncate the log up to these records, which were exported."""

    ends: tuple[ChainEnd, ...] = Field(min_length=1, max_length=CUT_AT_ONCE)
    reason: Reason


class Accepted(Record):
    """Findings that a person accepted: where they begin and end, how many, who, why and when."""

    first: int
    through: int
    found: int
    by: str
    reason: str
    at: Millis


class ChainReport(Record):
    """One partition's chain after a check: how long it is, its head, and what is wrong.

    Records up to ``cut`` were exported and deleted. ``found`` counts all findings, of which only
    the first are in ``findings``; ``first`` is where they begin, ``stored`` the digest of the last
    record before that and of those from there on, ``unreadable`` of those that cannot be read.
    Records up to ``unchecked`` were made with a key that was not given.
    ``accepted`` are findings that a person accepted. ``published`` is the greatest number that
    was published, where there are fewer records.
    """

    partition: int
    count: int
    head: str
    cut: int = 0
    findings: tuple[Finding, ...] = ()
    found: int = 0
    first: int = 0
    stored: str = ""
    unreadable: str = ""
    published: int = 0
    unchecked: int = 0
    accepted: tuple[Accepted, ...] = ()


class AuditReport(Record):
    """Result of a check of the audit trail."""

    chains: tuple[ChainReport, ...]

    @property
    def whole(self) -> bool:
        """Whether the check found nothing wrong."""
        return not any(chain.findings for chain in self.chains)


AUDIT = Stream("audit", Method.GET, "/v1/audit", AuditQuery, AuditRecord)
VERIFY = Verb("verify_audit", Method.POST, "/v1/audit/verify", VerifyQuery, AuditReport)
CUT = Verb("cut_audit", Method.POST, "/v1/audit/cut", CutTrail, Receipt, acts=True)
