"""The service behind the operators' socket, as a protocol."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from connector.core.audit import AuditRecord
from connector.core.journal import StatusFilter
from connector.operators.applying import ActEvents, NotApplied
from connector.operators.audit_records import AuditReport, CutTrail, Published
from connector.operators.letter_records import (
    LetterDetail,
    LetterPage,
    LetterQuery,
    LetterReceipt,
    PlaceName,
    SettleLetters,
)
from connector.operators.plan_records import PlanReport
from connector.operators.records import (
    Act,
    Kind,
    Operator,
    Overview,
    Receipt,
    SubjectDetail,
    SubjectPage,
    VersionView,
)


class LetterService(Protocol):
    """Queries and commands on dead letters; raises as :class:`AdminService`."""

    async def letters(self, query: LetterQuery) -> LetterPage:
        """A page of dead letters."""
        ...

    async def letter(self, place: PlaceName) -> LetterDetail:
        """One dead letter; ``Rejected`` ``DLV-010`` when there is none at this place."""
        ...

    async def settle(self, act: SettleLetters, operator: Operator, key: str = "") -> LetterReceipt:
        """Re-queue or drop letters; the same ``key`` again writes no second audit record."""
        ...


class AdminService(LetterService, Protocol):
    """All queries and commands of operators.

    Raises everywhere: ``Rejected`` ``DLV-007`` for a subject that is not known, ``EVT-007`` for a
    question that cannot be answered as it is; ``Transient`` ``JRN-001`` when the journal cannot be
    written.
    """

    async def overview(self) -> Overview:
        """The service at a glance."""
        ...

    async def listing(self, query: StatusFilter) -> SubjectPage:
        """A page of subjects."""
        ...

    async def detail(self, kind: Kind, wanted: str) -> SubjectDetail:
        """One subject, by key, or by id, user name or mail when only one fits."""
        ...

    async def act(self, act: Act, operator: Operator, key: str = "") -> Receipt:
        """Make an act durable; it is applied in the order of the journal.

        The same ``key`` again (chosen by the operator's program) changes nothing more.

        Raises:
            Rejected: ``DLV-006`` when it does not fit the subject's state.
        """
        ...

    async def not_applied(self, asked: ActEvents) -> NotApplied:
        """Which commands have not been applied by the owners of their subjects yet."""
        ...

    async def plan(self, wanted: str, operator: Operator) -> PlanReport:
        """What a delivery for a holder would do now; looks at UEM and CA, and is audited."""
        ...

    def audit(self, partition: int | None, after: int) -> AsyncIterator[AuditRecord]:
        """The audit log of one partition behind a sequence number, or of all."""
        ...

    async def verify(self, published: Sequence[Published]) -> AuditReport:
        """Check the audit log against its key, the journal's own heads, and published ones."""
        ...

    async def cut(self, act: CutTrail, operator: Operator, key: str = "") -> Receipt:
        """Truncate the audit log up to exported records; the cut itself is recorded.

        Raises:
            Permanent: ``AUD-001`` when the log is not intact.
            Rejected: ``AUD-003`` when a record is not the journal's.
        """
        ...

    def version(self) -> VersionView:
        """The version of the service."""
        ...
