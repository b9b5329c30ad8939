"""A delivery: one set on its way for one holder, with the devices that wait for it."""

from enum import StrEnum

from pydantic import Field

from connector.core.errors import Fault
from connector.core.model import (
    Generation,
    Millis,
    ProfileStatus,
    Record,
    SetEntry,
    Sha256Hex,
    Slot,
    SubjectKey,
)
from connector.core.states.wants import Effect


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
    """How far one device is. ``evidence`` says what proves *installed*, ``why`` why not.

    ``looked_at``: the last look at it since the upload, which showed ``profile``; ``code`` names
    why it does not have the set yet (or did not get it), and ``code_since`` since when that is so.
    ``push_due``: when the profile is pushed to it next; ``push_failures``: pushes in a row that
    were refused or failed.
    """

    phase: DevicePhase = DevicePhase.WAITING
    since: Millis
    joined_at: Millis
    evidence: str | None = None
    why: str | None = None
    pushed_at: Millis | None = None
    pushes: int = 0
    not_installed_seen_at: Millis | None = None
    last_seen: Millis | None = None
    looked_at: Millis | None = None
    profile: ProfileStatus = ProfileStatus.UNKNOWN
    code: str | None = None
    code_since: Millis | None = None
    push_due: Millis | None = None
    push_failures: int = 0
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

    ``attempts`` counts failed tries of the present phase, ``due`` is when the next one may start,
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

    @property
    def archived(self) -> tuple[Sha256Hex, ...]:
        """The generations of the set that are in it as earlier ones only."""
        in_use = {entry.fingerprint for entry in self.entries if entry.slot is not Slot.ARCHIVED}
        found = (entry.fingerprint for entry in self.entries if entry.slot is Slot.ARCHIVED)
        return tuple(one for one in dict.fromkeys(found) if one not in in_use)
