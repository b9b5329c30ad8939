"""What happens to devices: enrolment, changes, unenrolment, wipe. Each posts its event."""

from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from connector_testkit.simulators.uem.events import Event, EventKind, describe, without_user
from connector_testkit.simulators.uem.profiles import Profiles
from connector_testkit.simulators.uem.records import Device, User
from connector_testkit.simulators.uem.tenant import PROFILE, Tenant

Compliance = Literal["Compliant", "NonCompliant", "PendingComplianceCheck", "NotAvailable"]


class Enrolment(BaseModel):
    """A device to be enrolled. What is left out is made up. ``event``: whether one is posted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: int
    id: int | None = Field(default=None, ge=1)
    platform: str = "Apple"
    system: str = "17.4.0"
    serial: str | None = None
    udid: str | None = None
    name: str | None = None
    group: str | None = None
    profiles: tuple[int, ...] = (PROFILE,)
    online: bool = True
    install_outcome: Literal["installed", "failed", "never"] = "installed"
    event: bool = True


class DeviceChange(BaseModel):
    """What changes on a device; None leaves it. ``event``: whether the change is posted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: int | None = None
    compromised: bool | None = None
    compliance: Compliance | None = None
    system: str | None = None
    group: str | None = None
    platform: str | None = None
    online: bool | None = None
    install_outcome: Literal["installed", "failed", "never"] | None = None
    event: bool = True


ANNOUNCED = {
    "user": EventKind.ENROLLED,
    "compromised": EventKind.COMPROMISED,
    "compliance": EventKind.COMPLIANCE,
    "system": EventKind.SYSTEM,
    "group": EventKind.GROUP,
}


class Fleet:
    """The tenant's devices. ``post`` takes an event to be sent."""

    def __init__(self, tenant: Tenant, profiles: Profiles, post: Callable[[Event], None]) -> None:
        self._tenant = tenant
        self._profiles = profiles
        self._post = post

    def enrol(self, wanted: Enrolment) -> Device:
        """Enrol a device of a known user (``KeyError`` if unknown) and assign its profiles."""
        user = self._tenant.users[wanted.user]
        device = self._made(wanted, user)
        self._tenant.own(device, user.id)
        self._tenant.log(device, "EnrollmentComplete", device.enrolled_at)
        self._tenant.ledger.note("enrol", device=device.id, user=user.id)
        for profile in wanted.profiles:
            self._profiles.assign(device, profile)
        if wanted.event:
            self.announce(EventKind.ENROLLED, device)
        if wanted.event and self._tenant.behaviour.compromised_event_at_enrolment:
            self.announce(EventKind.COMPROMISED, device)
        return device

    def change(self, device: Device, change: DeviceChange) -> None:
        """Apply a change and post what the product posts for it."""
        wanted = change.model_dump(exclude={"event"}, exclude_none=True)
        if "user" in wanted:
            self._hand_over(device, self._tenant.users[wanted.pop("user")])
        for name, value in wanted.items():
            setattr(device, name, value)
        if change.online:
            self._profiles.resume(device)
        for name, kind in ANNOUNCED.items():
            if change.event and getattr(change, name) is not None:
                self.announce(kind, device)

    def unenrol(self, device: Device, *, event: bool = True) -> None:
        """End the management: profile and keys leave the device."""
        self._strip(device)
        device.status, device.compliance = "Unenrolled", "NotAvailable"
        self._tenant.log(device, "DeviceUnenrolled", self._tenant.clock.now())
        self._tenant.ledger.note("unenrol", device=device.id, user=device.user)
        if event:
            self.announce(EventKind.UNENROLLED, device)

    def request_wipe(self, device: Device, *, event: bool = True) -> None:
        """Ask for an enterprise wipe; the device has not carried it out yet."""
        device.status = "EnterpriseWipePending"
        self._tenant.log(device, "DeviceWipeRequested", self._tenant.clock.now())
        if event:
            self.announce(EventKind.WIPE_REQUESTED, device)

    def delete(self, device: Device) -> None:
        """Remove the device's record, and with it what the UEM put on the device. Posts nothing."""
        self._strip(device)
        self._tenant.own(device, None)

    def announce(self, kind: EventKind, device: Device) -> None:
        """Post an event of this kind about the device."""
        user = self._tenant.users.get(device.user) or User(0, "", "")
        now = self._tenant.clock.now()
        event = describe(kind, device, user, now, self._tenant.dates)
        if kind is EventKind.UNENROLLED:
            kept = self._tenant.behaviour.unenrol_user_id == "kept"
            event = without_user(event, keep_id=kept)
        self._post(event)

    def _made(self, wanted: Enrolment, user: User) -> Device:
        number, now = self._tenant.new_device_id(wanted.id), self._tenant.clock.now()
        serial = wanted.serial or f"F2L{self._tenant.dice.getrandbits(36):09X}"
        return Device(
            id=number,
            uuid=self._tenant.new_uuid(),
            user=user.id,
            serial=serial,
            udid=wanted.udid or f"{self._tenant.dice.getrandbits(96):024x}",
            name=wanted.name or f"{user.username} {wanted.platform} {wanted.system} {serial[-4:]}",
            platform=wanted.platform,
            system=wanted.system,
            enrolled_at=now,
            last_seen=now,
            group=wanted.group or self._tenant.options.group,
            online=wanted.online,
            install_outcome=wanted.install_outcome,
        )

    def _hand_over(self, device: Device, user: User) -> None:
        """The device has another user now: that user's profiles, and no keys yet."""
        profiles = list(device.profiles)
        self._strip(device)
        self._tenant.own(device, user.id)
        for profile in profiles:
            self._profiles.assign(device, profile)

    def _strip(self, device: Device) -> None:
        for profile in list(device.profiles):
            self._profiles.remove(device, profile)
