"""The states of the three subjects, as they are kept in the journal. The JSON is `schemas/state`.

A state says what it waits for: ``wants`` names the effects that are due and when. Everything that a
crash may interrupt is in here (``running``, ``copy``, ``requests``), never in memory alone.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from connector.core.errors import Fault
from connector.core.model import (
    Generation,
    IdentityPair,
    Millis,
    OpenRequest,
    PersonRecord,
    ProfileStatus,
    Record,
    SetEntry,
    Sha256Hex,
    SubjectKey,
)


class Effect(StrEnum):
    """What a state can ask for. Acts change something outside; looks only read."""

    LOOK_UP_DEVICE = "look_up_device"
    LOOK_UP = "look_up"
    LIST = "list"
    BEGIN = "begin"
    LOOK_REQUESTS = "look_requests"
    HAND_OVER = "hand_over"
    PUSH = "push"
    LOOK_INSTALLED = "look_installed"
    LOOK_GONE = "look_gone"
    CLEAN_UP = "clean_up"
    WAIT = "wait"


ACTS = frozenset({Effect.BEGIN, Effect.HAND_OVER, Effect.PUSH, Effect.CLEAN_UP})
"""Effects that go by permit, ``running`` and audit before they are done."""


class Want(Record):
    """An effect that a state asks for, and when it is due (journal time).

    A state has few wants, at most one per concern (the delivery, the copy, a check, a deadline), so
    that a brake or a broken upstream that holds one back does not hold the others. ``lane`` is
    ``effect:route`` (``effect:@uem`` where no route is involved): what is held back together.
    """

    effect: Effect
    due: Millis
    lane: str


class Running(Record):
    """An act that was started and whose outcome is not known yet.

    ``epoch`` is the owner's epoch at the start; a later owner that finds it waits until
    ``not_before`` on its own clock (set at take-over), then goes on. ``before`` is the copy as it
    was, for when it is proven that nothing was sent.
    """

    effect: Effect
    attempt: int
    started_at: Millis
    limit: Millis
    epoch: int
    delivery: str | None = None
    digest: Sha256Hex | None = None
    devices: tuple[SubjectKey, ...] = ()
    requests: tuple[OpenRequest, ...] = ()
    before: "Copy | None" = None
    not_before: Millis | None = None


class Phase(StrEnum):
    """The phases of a delivery (design section 4)."""

    PLANNING = "planning"
    AWAITING_APPROVAL = "awaiting_approval"
    RECOVERING = "recovering"
    HANDING_OVER = "handing_over"
    AWAITING_INSTALL = "awaiting_install"
    AWAITING_PURGE = "awaiting_purge"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({Phase.COMPLETED, Phase.FAILED, Phase.CANCELLED})


class DevicePhase(StrEnum):
    """A device inside a delivery."""

    WAITING = "waiting"
    INSTALLED = "installed"
    NOT_INSTALLED = "not_installed"
    LEFT = "left"


class DeviceInDelivery(Record):
    """How far one device is. ``evidence`` says what proves *installed*, ``why`` why not."""

    phase: DevicePhase = DevicePhase.WAITING
    since: Millis
    joined_at: Millis
    evidence: str | None = None
    why: str | None = None
    pushed_at: Millis | None = None
    pushes: int = 0
    not_installed_seen_at: Millis | None = None
    last_seen: Millis | None = None
    expired_rounds: int = 0


class Trigger(StrEnum):
    """Why a delivery was opened; the closed set of disclosure reasons."""

    ENROLMENT = "enrolment"
    RENEWAL = "renewal"
    REDELIVERY = "redelivery"
    DEVICE_REPLACEMENT = "device_replacement"
    RECOVERY = "recovery"


class Delivery(Record):
    """One set on its way for one holder, with the devices that wait for it.

    ``attempts`` counts failed tries of the present step, ``due`` is when the next one may start,
    ``deadline`` when the present phase gives up. ``looked_up_at`` is the last good look before a
    fetch. ``trouble`` is the newest fault, kept for the operator.
    """

    id: str
    opened_at: Millis
    trigger: Trigger
    by: str = "connector"
    previous: str | None = None
    phase: Phase = Phase.PLANNING
    step: Effect = Effect.LOOK_UP
    due: Millis
    attempts: int = 0
    deadline: Millis
    phase_since: Millis
    entries: tuple[SetEntry, ...] = ()
    digest: Sha256Hex | None = None
    current: Generation | None = None
    address: str = ""
    devices: dict[SubjectKey, DeviceInDelivery] = Field(default_factory=dict)
    looked_up_at: Millis | None = None
    uploaded_at: Millis | None = None
    uploaded_server_time: Millis | None = None
    changed_rounds: int = 0
    trouble: Fault | None = None
    ended_at: Millis | None = None
    why: str | None = None

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.phase not in ENDED


class CopyState(StrEnum):
    """What the UEM holds of a holder's keys, as far as we know."""

    NONE = "none"
    PERHAPS = "perhaps"
    PRESENT = "present"
    GONE = "gone"


class Copy(Record):
    """The copy in the UEM, watched to its end.

    ``digests`` are all sets that may be there. ``since_server`` is the UEM's clock from which
    retention counts, ``since`` ours at the same moment; ``not_after`` ends an upload whose fate is
    unknown, after which the first UEM ``Date`` seen becomes ``since_server``.
    """

    state: CopyState = CopyState.NONE
    digests: tuple[Sha256Hex, ...] = ()
    since: Millis | None = None
    since_server: Millis | None = None
    not_after: Millis | None = None
    due: Millis | None = None
    attempts: int = 0
    gone_at: Millis | None = None
    evidence: str | None = None
    overdue: bool = False
    clocks_disagree: bool = False
    retention: Millis = 0


Running.model_rebuild()


class Identity(Record):
    """The pinned pair, and a pair that was seen since and waits for a person."""

    pinned: IdentityPair
    pinned_at: Millis
    confirmed_by: str = "connector"
    conflicting: IdentityPair | None = None


class KnownDevice(Record):
    """A device of the holder that is enrolled as far as we know."""

    platform: str = ""
    serial: str = ""
    friendly_name: str = ""
    joined_at: Millis
    profile: ProfileStatus = ProfileStatus.UNKNOWN


class DeliveredGeneration(Record):
    """An encryption generation that has been delivered; later sets must contain its key."""

    fingerprint: Sha256Hex
    public_key: Sha256Hex
    at: Millis


class Dropped(Record):
    """An encryption generation that a person took out by name."""

    fingerprint: Sha256Hex
    by: str
    reason: str
    at: Millis


class Check(Record):
    """A look at the CA outside planning: did the certificates change? Carries its own tries."""

    due: Millis
    attempts: int = 0


class HolderState(Record):
    """Everything known of one holder. Ended deliveries stay in ``history`` for a retention time."""

    schema_version: Literal[1] = 1
    kind: Literal["holder"] = "holder"
    key: SubjectKey
    version: int = 0
    attempt: int = 0
    route: str | None = None
    name: str = ""
    mail: str = ""
    identity: Identity | None = None
    observed: IdentityPair | None = None
    person_key: SubjectKey | None = None
    person: PersonRecord | None = None
    devices: dict[SubjectKey, KnownDevice] = Field(default_factory=dict)
    generations: tuple[Generation, ...] = ()
    delivery: Delivery | None = None
    history: tuple[Delivery, ...] = ()
    copy_: Copy = Field(default_factory=Copy, alias="copy")
    requests: tuple[OpenRequest, ...] = ()
    requests_due: Millis | None = None
    requests_attempts: int = 0
    running: Running | None = None
    check: Check | None = None
    delivered: tuple[DeliveredGeneration, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    last_digest: Sha256Hex | None = None
    automatic: tuple[Millis, ...] = ()
    wants: tuple[Want, ...] = ()

    model_config = Record.model_config | {"populate_by_name": True}


class DeviceStatus(StrEnum):
    """The device's own small life."""

    UNKNOWN = "unknown"
    LOOKING = "looking"
    ENROLLED = "enrolled"
    LEFT = "left"
    LOST = "lost"


class DeviceState(Record):
    """A device and whose it is, so that "device 15 left" can be understood."""

    schema_version: Literal[1] = 1
    kind: Literal["device"] = "device"
    key: SubjectKey
    version: int = 0
    status: DeviceStatus = DeviceStatus.UNKNOWN
    holder: SubjectKey | None = None
    enrolled_at: Millis | None = None
    announced_at: Millis | None = None
    platform: str = ""
    serial: str = ""
    friendly_name: str = ""
    attempts: int = 0
    deadline: Millis | None = None
    cause: str | None = None
    trouble: Fault | None = None
    wants: tuple[Want, ...] = ()


class PersonState(Record):
    """A human as the CA knows him: the holders to tell when his certificates change."""

    schema_version: Literal[1] = 1
    kind: Literal["person"] = "person"
    key: SubjectKey
    version: int = 0
    holders: tuple[SubjectKey, ...] = ()
    changed_at: Millis | None = None
    wants: tuple[Want, ...] = ()


State = Annotated[HolderState | DeviceState | PersonState, Field(discriminator="kind")]


class Brakes(Record):
    """What a person or a ceiling holds back in one partition. Kept in the partition's record."""

    all_paused: bool = False
    routes_paused: frozenset[str] = frozenset()
    paused_since: Millis | None = None
    released_at: Millis | None = None
    disclosed: tuple[tuple[Millis, int], ...] = ()
