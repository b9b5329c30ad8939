"""The vocabulary of the control API: what one may order, and what it answers."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from connector.core.model import RequestState, Usage
from connector_testkit.simulators.ca.options import KeyAlgorithm
from connector_testkit.simulators.ca.shapes import Shape


class Message(BaseModel):
    """A frozen record that refuses members it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NewPerson(Message):
    """A person to be known from now on, or a known one's record to be replaced."""

    person: str = Field(min_length=1, max_length=256)
    name: str = ""
    addresses: tuple[str, ...] = ()
    attributes: dict[str, str] = {}
    approval: bool | None = None
    """Whether requests for this person wait for a decision; None: as the CA was started."""


class Issue(Message):
    """A certificate to be issued and its key to be escrowed.

    ``issued_days_ago`` and ``valid_days`` set the validity, so (800, 730) is an expired one.
    ``addresses`` defaults to the person's first one. ``shape``: see :class:`Shape`.
    """

    person: str
    usage: Usage = Usage.ENCRYPTION
    key_algorithm: KeyAlgorithm | None = None
    issued_days_ago: float = 0
    valid_days: float = 730
    addresses: tuple[str, ...] | None = None
    recoverable: bool = True
    single_use: bool = False
    notify: bool = True
    shape: Shape | None = None


class Renew(Message):
    """A new key and certificate for the same use; what there is stays valid and escrowed."""

    person: str
    usage: Usage = Usage.ENCRYPTION
    notify: bool = True


class Revoke(Message):
    """A certificate to be revoked, with a CRL reason of RFC 5280 section 5.3.1."""

    fingerprint: str
    reason: str = "keyCompromise"
    notify: bool = True


class Decision(StrEnum):
    """What people, or time, decide on a recovery request."""

    GRANT = "grant"
    DENY = "deny"
    EXPIRE = "expire"


class Operation(StrEnum):
    """The six operations of the contract, and a place that no client should ever go to."""

    LIST = "list"
    REQUESTS = "requests"
    BEGIN = "begin"
    LOOK = "look"
    FETCH = "fetch"
    CLEAN_UP = "clean_up"
    ELSEWHERE = "elsewhere"


class Lie(StrEnum):
    """Ways to misbehave.

    The first block lies in the list, the second in the bundle or the request's state, the third in
    how the answer is given.
    """

    HIDDEN_REVOCATION = "hidden_revocation"
    CONTRADICTORY_STATUS = "contradictory_status"
    WRONG_FINGERPRINT = "wrong_fingerprint"
    WRONG_USAGE = "wrong_usage"
    OTHER_PERSON = "other_person"
    TWICE = "twice"
    GARBAGE = "garbage"

    OTHER_PERSONS_KEY = "other_persons_key"
    MISFIT_KEY = "misfit_key"
    OTHER_GENERATION = "other_generation"
    TRUNCATED = "truncated"
    HOSTILE_MODULUS = "hostile_modulus"
    HOSTILE_EXPONENT = "hostile_exponent"

    HUGE = "huge"
    HTML = "html"
    DRIBBLE = "dribble"
    STALL = "stall"
    RESET = "reset"
    REDIRECT = "redirect"
    STATUS = "status"


LISTING_LIES = frozenset(
    {
        Lie.HIDDEN_REVOCATION,
        Lie.CONTRADICTORY_STATUS,
        Lie.WRONG_FINGERPRINT,
        Lie.WRONG_USAGE,
        Lie.OTHER_PERSON,
        Lie.TWICE,
        Lie.GARBAGE,
    }
)
BUNDLE_LIES = frozenset(
    {
        Lie.OTHER_PERSONS_KEY,
        Lie.MISFIT_KEY,
        Lie.OTHER_GENERATION,
        Lie.TRUNCATED,
        Lie.HOSTILE_MODULUS,
        Lie.HOSTILE_EXPONENT,
    }
)


class LieOrder(Message):
    """From now on, tell this lie.

    Selected by person, fingerprint and operation; None matches all (``operation`` None: the list
    for lies of the list, fetch for all others). ``times``: how often, None for ever. ``status``,
    ``code`` and ``retry_after`` are for ``STATUS`` only.
    """

    lie: Lie
    person: str | None = None
    fingerprint: str | None = None
    operation: Operation | None = None
    times: int | None = Field(default=None, ge=1)
    status: int = Field(default=503, ge=400, le=599)
    code: str = "unavailable"
    retry_after: str | None = None

    @property
    def told_at(self) -> Operation:
        """The operation at which it is given."""
        if self.operation is not None:
            return self.operation
        return Operation.LIST if self.lie in LISTING_LIES else Operation.FETCH


class NotifyFaults(Message):
    """How many of the next notifications are dropped, and how many then sent twice."""

    drop: int = Field(default=0, ge=0)
    duplicate: int = Field(default=0, ge=0)


class Webhook(Message):
    """Where notifications go from now on."""

    url: str
    secret_file: Path
    ca_file: Path | None = None


class CertificateInfo(Message):
    """A generation as the world may see it. Certificates are PEM."""

    person: str
    fingerprint: str
    usage: Usage
    certificate: str
    chain: str
    not_before: datetime
    not_after: datetime
    revoked: bool
    single_use: bool


class RequestInfo(Message):
    """A recovery request with all that the CA knows of it."""

    request_id: str
    person: str
    fingerprint: str
    reason: str
    requester: str
    client: str
    state: RequestState
    fetches: int


class LedgerEntry(Message):
    """One request that the escrow API received. ``status`` is None while it is not answered."""

    number: int
    at: datetime
    operation: Operation
    client: str
    person: str | None
    fingerprint: str | None
    request_id: str | None
    lie: Lie | None
    status: int | None


class Markers(Message):
    """What must be found nowhere else: ``binary`` in hexadecimal, ``text`` as it is."""

    binary: tuple[str, ...]
    text: tuple[str, ...]


class NotificationInfo(Message):
    """A notification and what became of it. ``status`` is the last answer, 0 for none."""

    id: str
    type: str
    person: str
    fingerprint: str
    sent: int
    dropped: bool
    status: int
