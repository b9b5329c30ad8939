"""Records on the operators' socket. Public data only; nothing here holds a key."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from connector.core.conditions import Condition
from connector.core.model import (
    LONGEST_KEY,
    Millis,
    ProfileStatus,
    Record,
    Sha256Hex,
    Slot,
    SubjectKey,
    Usage,
)
from connector.core.states import Brakes, DeviceState, HolderState, PersonState, StandingPause

Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=512)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=512)]
Wanted = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_KEY)
]
"""A subject as people name it: its key, or its id, user name or mail if only one fits."""
Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-fA-F:]{8,95}$")]
"""A fingerprint or an unambiguous beginning of it."""
LONGEST_NAME = 128
"""Characters of the name that an operator gives themselves."""
Kind = Literal["holder", "device", "person"]
Possession = Literal["newest set", "earlier set", "nothing"]


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
    code: str | None = Field(default=None, pattern=r"^[A-Z0-9]{2,4}-[0-9]{3}$")
    route: str | None = None
    reason: Words = ""


class Cancel(Record):
    """End the open delivery."""

    act: Literal["cancel"] = "cancel"
    holder: Wanted
    reason: Reason


class ConfirmIdentity(Record):
    """Confirm that the changed identity pair is right."""

    act: Literal["confirm_identity"] = "confirm_identity"
    holder: Wanted
    reason: Reason


class ForgetIdentity(Record):
    """Forget the pinned identity and the delivered fingerprints."""

    act: Literal["forget_identity"] = "forget_identity"
    holder: Wanted
    reason: Reason


class Pause(Record):
    """Pause one route, or all."""

    act: Literal["pause"] = "pause"
    route: str | None = None
    reason: Reason


class Resume(Record):
    """Resume one route, or all."""

    act: Literal["resume"] = "resume"
    route: str | None = None
    reason: Words = ""


class AcceptClock(Record):
    """The wall clock of the service is right, wherever the journal's time stands."""

    act: Literal["accept_clock"] = "accept_clock"
    reason: Reason


HolderAct = Deliver | RetryOne | Cancel | ConfirmIdentity | ForgetIdentity
Act = Annotated[HolderAct | RetryMany | Pause | Resume | AcceptClock, Field(discriminator="act")]


class Operator(Record):
    """The caller: the verified user id of the peer, and the stated name, unverified."""

    uid: int
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_NAME)] = ""

    @property
    def by(self) -> str:
        """The caller as named in the audit log."""
        return f"local:{self.uid} as {self.name}" if self.name else f"local:{self.uid}"


class Receipt(Record):
    """The act is durable in the journal and will be applied in its order there.

    ``complete`` is false when the journal stopped taking events before all were written.
    ``pauses`` stand in its way: it is taken, but what it leads to waits for their end.
    ``discloses``: those for whom a retry is a new hand-over, for which keys leave escrow again.
    ``events``: by holder, the id of the act's last event.
    """

    act: str
    subjects: tuple[SubjectKey, ...]
    events: dict[SubjectKey, str] = Field(default_factory=dict)
    complete: bool = True
    pauses: tuple[StandingPause, ...] = ()
    discloses: tuple[SubjectKey, ...] = ()


class SubjectSummary(Record):
    """One line of a listing. ``installed`` of ``devices`` have the set of the newest delivery."""

    kind: Kind
    key: SubjectKey
    name: str = ""
    mail: str = ""
    route: str | None = None
    phase: str = ""
    since: Millis | None = None
    delivery: str | None = None
    installed: int = 0
    devices: int = 0
    copy_state: str = ""
    next_step: str | None = None
    next_due: Millis | None = None
    code: str | None = None
    detail: str = ""


class SubjectPage(Record):
    """A page of a listing; ``after`` continues it, None at the end. ``now``: the service's time."""

    items: tuple[SubjectSummary, ...]
    after: SubjectKey | None = None
    now: Millis
    pauses: tuple[StandingPause, ...] = ()


class GenerationRow(Record):
    """One generation of a holder, and its status on each of the holder's devices.

    ``devices``: device key → ``missing``, ``scheduled``, ``sent``, ``assumed``, ``present`` or
    ``unknown``. Assumed is an earlier generation that came with a set of which only the current one
    is proven.
    ``objection``: why it cannot be sent. The dates of a certificate that cannot be read are None.
    """

    fingerprint: Sha256Hex
    slot: Slot | None = None
    usage: Usage | None = None
    not_before: Millis | None = None
    not_after: Millis | None = None
    revoked_at: Millis | None = None
    delivered_at: Millis | None = None
    dropped: bool = False
    objection: str = ""
    devices: dict[SubjectKey, str] = Field(default_factory=dict)


class DeviceRow(Record):
    """A device of a holder: the set it has, and what stands between it and the newest one.

    ``has``: which set it was shown to have, with the evidence and since when. ``phase``: in the
    newest delivery. ``profile``: what the UEM said of the mail profile when it was looked at last,
    at ``looked_at``; ``last_seen``: when the device was seen by the UEM. ``code``: why it does not
    have the newest set, since ``code_since``; ``cause`` and ``action`` say it in words.
    """

    device: SubjectKey
    name: str = ""
    platform: str = ""
    has: Possession = "nothing"
    since: Millis | None = None
    evidence: str = ""
    phase: str = ""
    profile: ProfileStatus = ProfileStatus.UNKNOWN
    looked_at: Millis | None = None
    last_seen: Millis | None = None
    code: str | None = None
    code_since: Millis | None = None
    cause: str = ""
    action: str = ""


class SubjectDetail(Record):
    """All details of one subject."""

    summary: SubjectSummary
    state: Annotated[HolderState | DeviceState | PersonState, Field(discriminator="kind")]
    devices: tuple[DeviceRow, ...] = ()
    generations: tuple[GenerationRow, ...] = ()
    now: Millis
    pauses: tuple[StandingPause, ...] = ()


class PartitionView(Record):
    """A partition's own record."""

    partition: int
    epoch: int
    commits: int
    audit_count: int
    audit_head: str
    brakes: Brakes


class UpstreamView(Record):
    """How an upstream (``ca:NAME``, ``uem:NAME``) stands; ``closed``: effects pass.

    ``detail`` says what ``code`` was about. ``since``: when it came to this state; ``next_try``:
    when it is probed next; ``last_success``: when an effect succeeded last, None for not yet.
    """

    name: str
    state: Literal["closed", "half_open", "open"] = "closed"
    code: str | None = None
    detail: str = ""
    since: Millis | None = None
    next_try: Millis | None = None
    last_success: Millis | None = None


class CredentialView(Record):
    """A certificate that the service presents, and when it expires."""

    name: str
    not_after: Millis


class Stuck(Record):
    """Subjects that need a person, by code; ``since``: since when the first of (up to 200) does."""

    kind: Kind = "holder"
    code: str
    count: int
    since: Millis | None = None


class PhaseCount(Record):
    """How many subjects are in a phase."""

    kind: str
    route: str
    phase: str
    count: int


class Overview(Record):
    """The service at a glance: pauses in force, and conditions, worst first."""

    now: Millis
    pauses: tuple[StandingPause, ...] = ()
    conditions: tuple[Condition, ...] = ()
    version: str
    counts: tuple[PhaseCount, ...]
    partitions: tuple[PartitionView, ...]
    upstreams: tuple[UpstreamView, ...]
    dead_letters: int
    needs_person: tuple[Stuck, ...] = ()
    credentials: tuple[CredentialView, ...] = ()


class VersionView(Record):
    """What runs there."""

    version: str
    python: str
