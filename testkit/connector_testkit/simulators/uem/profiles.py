"""Profiles on devices: pending without a certificate, pushed, reported as installed or failed.

The device builds nothing itself: with the profile it gets the whole set that the UEM holds at the
moment at which the device fetches it. Status numbers are those that field scripts read: 1 pending,
3 installed, 6 error. A re-upload does not push an installed profile again by itself.
"""

from collections.abc import Callable
from datetime import datetime

from connector_testkit.simulators.uem.records import (
    CertificateSet,
    Device,
    ProfileOnDevice,
    ProfileStatus,
    SampledCertificate,
)
from connector_testkit.simulators.uem.store import Store
from connector_testkit.simulators.uem.tenant import Tenant


class Profiles:
    """Assigns, pushes and removes profiles, and lets devices report."""

    def __init__(self, tenant: Tenant, store: Store) -> None:
        self._tenant = tenant
        self._store = store

    def assign(self, device: Device, profile: int) -> None:
        """Assign a profile; it goes out at once if the user has a certificate."""
        name = self._tenant.profiles.setdefault(profile, f"Profile {profile}")
        device.profiles[profile] = ProfileOnDevice(profile, name)
        if device.user in self._tenant.copies:
            self.push(device, profile, why="assigned")

    def remove(self, device: Device, profile: int) -> None:
        """Take a profile away; with the last one go the keys that it brought."""
        removed = device.profiles.pop(profile, None)
        if removed is None:
            return
        now = self._tenant.clock.now()
        self._tenant.log(device, "RemoveProfileConfirmed", now, ProfileName=removed.name)
        if not device.profiles:
            device.held = None
            device.sample = []

    def uploaded(self, user: int) -> None:
        """A set has arrived: push the profiles that waited for it."""
        again = self._tenant.behaviour.pushes_on_upload
        for device in self._tenant.devices_of(user):
            for profile in list(device.profiles.values()):
                waits = profile.status not in {ProfileStatus.INSTALLED, ProfileStatus.FAILED}
                if waits or again:
                    self.push(device, profile.id, why="uploaded")

    def resume(self, device: Device) -> None:
        """The device is reachable again: push what is not installed."""
        for profile in list(device.profiles.values()):
            if profile.status != ProfileStatus.INSTALLED:
                self.push(device, profile.id, why="reachable")

    def push(self, device: Device, profile_id: int, why: str) -> None:
        """Send a profile, once more if it is installed. Without a set it stays pending."""
        now = self._tenant.clock.now()
        profile = device.profiles[profile_id]
        profile.push += 1
        profile.status = ProfileStatus(self._tenant.behaviour.sent_status)
        self._tenant.log(device, "InstallProfileRequested", now, **_about(profile))
        self._tenant.ledger.note("install", device=device.id, profile=profile.id, why=why)
        due = now + self._tenant.behaviour.install_delay
        self._tenant.timetable.at(due, self._fetching(device.id, profile_id, profile.push))

    def query(self, device: Device) -> None:
        """The device reports now: last seen, and which certificates it has."""
        self._sample(device, self._tenant.clock.now())

    def _fetching(self, device_id: int, profile_id: int, push: int) -> Callable[[datetime], None]:
        def fetch(due: datetime) -> None:
            """The device asks for its profile, unless a newer push or its removal came first."""
            device = self._tenant.devices.get(device_id)
            profile = device.profiles.get(profile_id) if device else None
            if device is None or profile is None or profile.push != push or not device.online:
                return
            content = self._tenant.copies.get(device.user)
            if content is None:
                profile.status, device.last_seen = ProfileStatus.PENDING, due
            elif device.install_outcome == "failed":
                self._fail(device, profile, due)
            elif device.install_outcome == "installed":
                self._install(device, profile, content, due)

        return fetch

    def _install(
        self, device: Device, profile: ProfileOnDevice, content: CertificateSet, due: datetime
    ) -> None:
        device.held = content
        profile.status, profile.changed_at = ProfileStatus.INSTALLED, due
        profile.installed_version = profile.version
        device.last_seen = due
        if self._tenant.behaviour.sampled_on == "install":
            self._sample(device, due)
        self._tenant.log(device, "InstallProfileConfirmed", due, **_about(profile))
        self._note(device, profile, due, "installed", content)
        self._store.installed(device.user, content.upload, due)

    def _fail(self, device: Device, profile: ProfileOnDevice, due: datetime) -> None:
        profile.status, profile.changed_at = ProfileStatus.FAILED, due
        device.last_seen = due
        self._note(device, profile, due, "failed", None)

    def _note(
        self,
        device: Device,
        profile: ProfileOnDevice,
        due: datetime,
        outcome: str,
        content: CertificateSet | None,
    ) -> None:
        self._tenant.ledger.note(
            "installed",
            due,
            device=device.id,
            user=device.user,
            profile=profile.id,
            outcome=outcome,
            set=content.facts() if content else None,
        )

    def _sample(self, device: Device, at: datetime) -> None:
        device.last_seen = at
        first = {each.pair.fingerprint: each.first for each in device.sample}
        pairs = device.held.pairs if device.held else ()
        device.sample = [
            SampledCertificate(pair, first.get(pair.fingerprint, at), at)
            for pair in {pair.fingerprint: pair for pair in pairs}.values()
        ]


def _about(profile: ProfileOnDevice) -> dict[str, str]:
    return {"ProfileName": profile.name, "ProfileId": str(profile.id)}
