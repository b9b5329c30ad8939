"""Publish metrics, audit records and failures of a round once it is committed."""

from collections.abc import Callable

from connector.core.audit import AuditRecord
from connector.core.journal import Commit, PartitionRecord
from connector.core.metrics import Metrics
from connector.core.model import Millis, parse_subject
from connector.worker.round import Failure, RoundDraft


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
            self._metrics.moment(moment, parse_subject(key).tenant)
        if commit.audit:
            self.chain(commit.record, draft.now)
        for record in commit.audit:
            self._tell(record)
        for letter in commit.dead_letters:
            self._metrics.dead_lettered("events", letter.code)
        for failure in draft.failures:
            self._metrics.subject_failed(failure.code)
            self._alarm(failure)

    def chain(self, record: PartitionRecord, now: Millis) -> None:
        """Publish head and count of a partition's audit chain.

        They are published at take-over too, so that a missing end shows at once.
        """
        self._metrics.audit_appended(record.partition, record.audit_count, record.audit_head, now)
