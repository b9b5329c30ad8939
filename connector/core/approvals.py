"""Four eyes: N different people, none of them the requester, approved exactly this set."""

from connector.core.errors import Rejected
from connector.core.model import Millis, Record, Sha256Hex, SubjectKey


class Approval(Record):
    """One person's yes."""

    by: str
    at: Millis
    reason: str


class ApprovalRequest(Record):
    """What people are asked: this set, for this holder, through this target, by when."""

    holder: SubjectKey
    target: str
    digest: Sha256Hex
    requested_by: str
    needed: int
    expires_at: Millis
    approvals: tuple[Approval, ...] = ()

    def granted(self, digest: Sha256Hex, target: str, now: Millis) -> bool:
        """Whether the set may be handed over at this moment; a new generation makes it void."""
        fits = digest == self.digest and target == self.target and now < self.expires_at
        others = {approval.by for approval in self.approvals} - {self.requested_by}
        return fits and len(others) >= self.needed


def approve(request: ApprovalRequest, approval: Approval, digest: Sha256Hex) -> ApprovalRequest:
    """Add a person's yes to a request.

    Raises:
        Rejected: ``APR-001`` by the requester himself, ``APR-002`` a second time by the same
            person, ``APR-003`` for another set or too late.
    """
    if approval.by == request.requested_by:
        raise Rejected("APR-001", "the requester cannot approve")
    if any(approval.by == other.by for other in request.approvals):
        raise Rejected("APR-002", "this person has approved already")
    if digest != request.digest or approval.at >= request.expires_at:
        raise Rejected("APR-003", "another set than the one asked about, or too late")
    return request.model_copy(update={"approvals": (*request.approvals, approval)})
