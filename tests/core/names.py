"""The one route of the small picture, the keys of its subjects, and what may go wrong in it."""

from connector.core.errors import Family, Fault, Scope
from connector.core.model import DAY, HOUR, SECOND, SubjectKey, SubjectKind, subject_key
from connector.core.policy import Retry
from tests.core.upstreams import RETENTION
from tests.support.routes import policy

ROUTE = policy(
    ca="ca",
    retention=RETENTION,
    retention_margin=HOUR // 2,
    retry=Retry(first=30 * SECOND, cap=2 * HOUR),
    look_every=Retry(first=10 * 60 * SECOND, cap=2 * HOUR),
    request_look_every=Retry(first=10 * 60 * SECOND, cap=2 * HOUR),
    phase_deadline=3 * DAY,
    automatic_per_day=1000,
)
DOWN = {
    "uem": Fault(
        code="UEM-001", family=Family.TRANSIENT, scope=Scope.UPSTREAM, upstream="uem:acme"
    ),
    "ca": Fault(code="CA-001", family=Family.TRANSIENT, scope=Scope.UPSTREAM, upstream="ca:ca"),
}
REFUSED = Fault(code="UEM-005", family=Family.PERMANENT)
BROKEN = Fault(code="HND-002", family=Family.TRANSIENT)
UNANSWERED = Fault(code="UEM-002", family=Family.TRANSIENT)


def device_key(device: str) -> SubjectKey:
    return subject_key("acme", SubjectKind.DEVICE, device)


def holder_key(user: str) -> SubjectKey:
    return subject_key("acme", SubjectKind.HOLDER, user)


def person_key(person: str) -> SubjectKey:
    return subject_key("ca", SubjectKind.PERSON, person)
