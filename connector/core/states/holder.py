"""The state of a holder, and the small records in it."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from connector.core.model import (
    Generation,
    IdentityPair,
    Millis,
    OpenRequest,
    PersonRecord,
    ProfileStatus,
    Record,
    Sha256Hex,
    SubjectKey,
)
from connector.core.states.delivery import Delivery, DevicePhase, Phase
from connector.core.states.running import Running
from connector.core.states.uem_copy import Copy
from connector.core.states.wants import Looks, Want

COPY_OVERDUE = "PRG-001"
"""The code of a copy that should be gone, and of which that could not be concluded."""


class Identity(Record):
    """The pinned pair, and a pair that was seen since and waits for a person."""

    pinned: IdentityPair
    pinned_at: Millis
    confirmed_by: str = "connector"
    conflicting: IdentityPair | None = None


class InstalledSet(Record):
    """A set that a device was proven to have, and the evidence. ``lost_at``: when it lost the set.

    The evidence is of the current generation. ``assumed``: earlier ones of which nothing is shown;
    ``unseen``: earlier ones that the device's own list should show and does not.
    """

    digest: Sha256Hex
    at: Millis
    evidence: str
    assumed: tuple[Sha256Hex, ...] = ()
    unseen: tuple[Sha256Hex, ...] = ()
    lost_at: Millis | None = None


class KnownDevice(Record):
    """A device of the holder that is enrolled as far as is known, and the set that it has.

    Times are as in ``DeviceState``. ``missing_since``: since when its profile is missing, on our
    clock; ``missing_seen``: when the UEM had last seen it then, on the UEM's.
    """

    platform: str = ""
    serial: str = ""
    friendly_name: str = ""
    joined_at: Millis
    enrolled_on: Millis | None = None
    announced_at: Millis | None = None
    profile: ProfileStatus = ProfileStatus.UNKNOWN
    has: InstalledSet | None = None
    missing_since: Millis | None = None
    missing_seen: Millis | None = None


class DeliveredGeneration(Record):
    """An encryption generation that has been delivered; later sets must contain its key.

    ``perhaps``: so far only by an upload with unknown outcome.
    """

    fingerprint: Sha256Hex
    public_key: Sha256Hex
    at: Millis
    perhaps: bool = False


class Dropped(Record):
    """An encryption generation that a person dropped by name."""

    fingerprint: Sha256Hex
    by: str
    reason: str
    at: Millis


class Check(Record):
    """A look outside the delivery's own steps, at CA or UEM, with its own number of tries."""

    due: Millis
    attempts: int = 0


class HolderState(Record):
    """Everything known of one holder. Ended deliveries stay in ``history`` for a retention time.

    ``sets`` holds the fingerprints of each set that a device has, by digest. ``check`` is a look at
    the CA (did the certificates change?), ``look`` one at the user, done last at ``looked_at``.
    """

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
    sets: dict[Sha256Hex, tuple[Sha256Hex, ...]] = Field(default_factory=dict)
    generations: tuple[Generation, ...] = ()
    delivery: Delivery | None = None
    history: tuple[Delivery, ...] = ()
    copy_: Copy = Field(default_factory=Copy, alias="copy")
    requests: tuple[OpenRequest, ...] = ()
    requests_due: Millis | None = None
    requests_attempts: int = 0
    running: Running | None = None
    check: Check | None = None
    look: Check | None = None
    looked_at: Millis | None = None
    delivered: tuple[DeliveredGeneration, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    last_digest: Sha256Hex | None = None
    automatic: tuple[Millis, ...] = ()
    wants: tuple[Want, ...] = ()
    looks: Looks | None = None

    model_config = Record.model_config | {"populate_by_name": True}

    @property
    def cause(self) -> str | None:
        """The code of what blocks the holder; of several, the most lasting one.

        In this order: why the delivery failed; a copy that is overdue; the newest fault; why a
        device ended without the set, still waits for it, or lacks a part of it. A cancelled
        delivery says nothing about its devices, because it was not finished.
        """
        delivery = self.delivery
        fault = delivery.trouble.code if delivery and delivery.trouble else None
        if delivery is not None and delivery.phase is Phase.FAILED and fault:
            return fault
        if self.copy_.overdue:
            return COPY_OVERDUE
        if delivery is None or delivery.phase is Phase.CANCELLED:
            return fault
        if fault and delivery.phase is not Phase.COMPLETED:
            return fault
        return next(self._causes_of_devices(delivery), None)

    def _causes_of_devices(self, delivery: Delivery) -> Iterator[str]:
        """Causes of the holder's present devices, those that ended without the set first."""
        entries = [delivery.devices[key] for key in self.devices if key in delivery.devices]
        for phase in (DevicePhase.NOT_INSTALLED, DevicePhase.WAITING, DevicePhase.INSTALLED):
            yield from sorted(one.code for one in entries if one.phase is phase and one.code)
