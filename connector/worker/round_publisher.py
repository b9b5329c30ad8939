"""Publish metrics, audit records and failures of a round once it is committed."""

from collections.abc import Callable

from connector.core.audit import AuditRecord
from connector.core.journal import Commit, PartitionRecord
from connector.core.metric_definitions import (
    AUDIT_HEAD_PREFIX,
    AUDIT_LAST_APPEND,
    AUDIT_RECORDS,
    DLQ_MESSAGES,
    SUBJECT_FAILURES,
)
from connector.core.metrics import Metrics
from connector.core.model import SECOND, Millis, parse_subject
from connector.core.moments import publish
from connector.worker.round import Failure, RoundDraft

HEAD_DIGITS = 12
"""Hexadecimal digits of a chain's head that a gauge holds exactly (48 of a float's 53 bits)."""


class RoundPublisher:
    """Publishes what was committed in one partition.

    Args:
        metrics: gets the business moments, dead letters, and the end of the audit chain.
        tell: called with each audit record.
        alarm: called with each fact that made the program fail.
    """

    def __init__(
        self,
        metrics: Metrics,
        tell: Callable[[AuditRecord], None],
        alarm: Callable[[Failure], None],
    ) -> None:
        self._metrics = metrics
        self._tell = tell
        self._alarm = alarm

    def of(self, draft: RoundDraft, commit: Commit) -> None:
        """Publish a round."""
        for key, moment in draft.moments:
            publish(self._metrics, moment, parse_subject(key).tenant)
        if commit.audit:
            self.chain(commit.record, draft.now)
        for record in commit.audit:
            self._tell(record)
        for letter in commit.dead_letters:
            self._metrics.count(DLQ_MESSAGES, queue="events", error_code=letter.code)
        for failure in draft.failures:
            self._metrics.count(SUBJECT_FAILURES, error_code=failure.code)
            self._alarm(failure)

    def chain(self, record: PartitionRecord, now: Millis) -> None:
        """Publish head and count of a partition's audit chain.

        They are published at take-over too, so that a missing end shows at once.
        """
        partition, head = str(record.partition), int(record.audit_head[:HEAD_DIGITS] or "0", 16)
        self._metrics.gauge(AUDIT_RECORDS, record.audit_count, partition=partition)
        self._metrics.gauge(AUDIT_HEAD_PREFIX, head, partition=partition)
        self._metrics.gauge(AUDIT_LAST_APPEND, now / SECOND)
