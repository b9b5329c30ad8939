"""Verbs that act on the deliveries of holders, or on the whole service."""

from typing import Annotated, Literal, TypeVar

from pydantic import Field, StringConstraints

from connector.core.identity import LONGEST_NAME
from connector.core.model import IdentityPair, Record, SubjectKey
from connector.core.states import StandingPause
from connector.operators.verbs.verb import ErrorCode, Method, Reason, Verb, Wanted, Words

A = TypeVar("A", bound=Record)
Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-fA-F:]{8,95}$")]
"""A fingerprint or an unambiguous beginning of it."""
IdentityName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME)
]
"""One half of an identity pair, as `identity show` prints it."""
AT_ONCE = 200
"""How many acts one question may name."""


class ActEvents(Record):
    """By subject, the id of the last event that a command appended for it."""

    events: dict[SubjectKey, str] = Field(max_length=AT_ONCE)


class NotApplied(Record):
    """The subjects whose event has not been applied yet, as far as is known here."""

    subjects: tuple[SubjectKey, ...]


class Deliver(Record):
    """Open a new delivery, perhaps after dropping one encryption generation by name."""

    act: Literal["deliver"] = "deliver"
    holder: Wanted
    reason: Words = ""
    drop_generation: Fingerprint | None = None


class RetryOne(Record):
    """Try again what failed or waits for one holder."""

    act: Literal["retry"] = "retry"
    holder: Wanted
    reason: Words = ""


class RetryMany(Record):
    """Try again for all holders with this code or on this route; at least one of both."""

    act: Literal["retry_many"] = "retry_many"
    code: ErrorCode | None = None
    route: str | None = None
    reason: Words = ""


class Cancel(Record):
    """End the open delivery."""

    act: Literal["cancel"] = "cancel"
    holder: Wanted
    reason: Reason


class ConfirmIdentity(Record):
    """Confirm that the changed identity pair is right: this one, and no other that replaced it."""

    act: Literal["confirm_identity"] = "confirm_identity"
    holder: Wanted
    person: IdentityName
    agreeing: IdentityName
    reason: Reason


class ForgetIdentity(Record):
    """Forget the pinned identity and the delivered fingerprints.

    The pair is the one that stays pinned; of a holder of whom nothing else is left none is needed.
    """

    act: Literal["forget_identity"] = "forget_identity"
    holder: Wanted
    person: IdentityName | None = None
    agreeing: IdentityName | None = None
    reason: Reason

    def pair(self) -> IdentityPair | None:
        """The pair, if both of its halves were named."""
        if self.person is None or self.agreeing is None:
            return None
        return IdentityPair(person=self.person, agreeing=self.agreeing)


class Pause(Record):
    """Pause one route, or all."""

    act: Literal["pause"] = "pause"
    route: str | None = None
    reason: Reason


class Resume(Record):
    """End the pause of one route, or the one of all; other pauses stay."""

    act: Literal["resume"] = "resume"
    route: str | None = None
    reason: Words = ""


class AcceptClock(Record):
    """The wall clock of the service is right, wherever the journal's time stands."""

    act: Literal["accept_clock"] = "accept_clock"
    reason: Reason


HolderAct = Deliver | RetryOne | Cancel | ConfirmIdentity | ForgetIdentity
Act = Annotated[HolderAct | RetryMany | Pause | Resume | AcceptClock, Field(discriminator="act")]


class Receipt(Record):
    """The act is durable in the journal and will be applied in its order there.

    ``complete`` is false when the journal stopped taking events before all were written.
    ``pauses`` stand in its way: it is taken, but what it leads to waits for their end. Those of a
    resume stay, that of a pause stands already and stays as it is.
    ``discloses``: those for whom a retry is a new hand-over, for which keys leave escrow again.
    ``events``: by holder, the id of the act's last event.
    """

    act: str
    subjects: tuple[SubjectKey, ...]
    events: dict[SubjectKey, str] = Field(default_factory=dict)
    complete: bool = True
    pauses: tuple[StandingPause, ...] = ()
    discloses: tuple[SubjectKey, ...] = ()


def _act(name: str, takes: type[A]) -> Verb[A, Receipt]:
    return Verb(name, Method.POST, "/v1/acts", takes, Receipt, acts=True)


DELIVER = _act("deliver", Deliver)
RETRY = _act("retry", RetryOne)
RETRY_MANY = _act("retry_many", RetryMany)
CANCEL = _act("cancel", Cancel)
CONFIRM_IDENTITY = _act("confirm_identity", ConfirmIdentity)
FORGET_IDENTITY = _act("forget_identity", ForgetIdentity)
PAUSE = _act("pause", Pause)
RESUME = _act("resume", Resume)
ACCEPT_CLOCK = _act("accept_clock", AcceptClock)
NOT_APPLIED = Verb("not_applied", Method.POST, "/v1/acts/not-applied", ActEvents, NotApplied)
