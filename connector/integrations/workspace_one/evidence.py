"""Check whether a certificate arrived on devices: status, certificate list, event log."""

from typing import NamedTuple

from connector.core.evidence import NOT_INSTALLED
from connector.core.model import (
    SECOND,
    DeviceEvidence,
    Generation,
    Millis,
    Sha256Hex,
)
from connector.core.policy import profile_for
from connector.core.ports import Evidence, InstallQuestion
from connector.integrations.workspace_one.certificates import Wanted
from connector.integrations.workspace_one.directory import Directory
from connector.integrations.workspace_one.facts import is_enrolled, owner_of, platform_of
from connector.integrations.workspace_one.members import Members
from connector.integrations.workspace_one.operations import Operation
from connector.integrations.workspace_one.paging import Pages
from connector.integrations.workspace_one.profiles import DeviceProfiles, ProfileLook
from connector.integrations.workspace_one.settings import WorkspaceOneSettings
from connector.integrations.workspace_one.times import read_time


class _Look(NamedTuple):
    evidence: DeviceEvidence
    server_time: Millis | None


class _Proofs(NamedTuple):
    """``archived``: None where no list of after the upload was read."""

    seen_at: Millis | None = None
    confirmed_at: Millis | None = None
    archived: frozenset[Sha256Hex] | None = None


class InstallEvidence:
    """Collects what a tenant knows; the core decides whether that is proof."""

    def __init__(
        self,
        settings: WorkspaceOneSettings,
        directory: Directory,
        profiles: DeviceProfiles,
        pages: Pages,
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._profiles = profiles
        self._pages = pages

    async def gather(self, question: InstallQuestion) -> Evidence:
        """What is known of each device of the question, and the UEM's clock at the look."""
        looks = [await self._device(device, question) for device in question.devices]
        times = [look.server_time for look in looks if look.server_time is not None]
        return Evidence(
            devices=tuple(look.evidence for look in looks), server_time=max(times, default=None)
        )

    async def _device(self, device: str, question: InstallQuestion) -> _Look:
        found = await self._directory.device(device)
        if found is None:
            return _Look(DeviceEvidence(device=device, enrolled=False), None)
        shown = found.members
        is_his = owner_of(shown) == question.holder
        if not is_his or not is_enrolled(shown, self._settings.enrolled_statuses):
            return _Look(DeviceEvidence(device=device, enrolled=False), found.server_time)
        platform = platform_of(shown) or question.platforms.get(device, "")
        profile = await self._profiles.look(device, profile_for(platform, question.profiles))
        proofs = await self._proofs(device, profile, question)
        evidence = DeviceEvidence(
            device=device,
            profile=profile.status,
            certificate_seen_at=proofs.seen_at,
            install_confirmed_at=proofs.confirmed_at,
            archived_listed=proofs.archived,
            last_seen=read_time(shown.text("lastseen")),
        )
        return _Look(evidence, found.server_time)

    async def _proofs(
        self, device: str, profile: ProfileLook, question: InstallQuestion
    ) -> _Proofs:
        """When the certificate was seen, when the installation was confirmed.

        The log is long; it is read only where the certificate list proves nothing by itself. The
        upload's time is known to the second only, so what falls into that second is no proof.
        """
        if profile.status in NOT_INSTALLED:  # list and log can only speak of the past
            return _Proofs()
        operation = Operation.DEVICE_CERTIFICATES
        listed = await self._pages.all(operation, "devicecertificates", device) or []
        seen = self._wanted(question.current).seen_at(listed)
        fresh = None if question.since is None else question.since + SECOND
        if seen is not None and fresh is not None and seen >= fresh:
            shown = (one for one in question.archived if self._is_listed(one, listed, fresh))
            return _Proofs(seen, archived=frozenset(one.fingerprint for one in shown))
        query = {"dayrange": str(self._settings.event_days)}
        if self._settings.event_severity:
            query["severity"] = self._settings.event_severity
        operation = Operation.DEVICE_EVENT_LOG
        entries = await self._pages.all(operation, "deviceeventlogentries", device, query) or []
        return _Proofs(seen, confirmed_at(entries, self._settings.install_event, profile.names))

    def _wanted(self, generation: Generation) -> Wanted:
        return Wanted(generation, self._settings.expiry_tolerance)

    def _is_listed(self, generation: Generation, listed: list[Members], fresh: Millis) -> bool:
        """Whether a list newer than the upload has it; older lists prove nothing about the set."""
        return (self._wanted(generation).seen_at(listed) or 0) >= fresh


def confirmed_at(entries: list[Members], event: str, names: frozenset[str]) -> Millis | None:
    """The newest time (UEM's clock) of ``event`` about a profile of these names; None if none."""
    wanted = _squeezed(event)
    times = [
        read_time(entry.text("timestamp"))
        for entry in entries
        if _squeezed(entry.text("event")) == wanted and _mentions(entry, names)
    ]
    return max((time for time in times if time is not None), default=None)


def _mentions(entry: Members, names: frozenset[str]) -> bool:
    data = entry.objects("eventdatalist") or [entry.inner("eventdatalist")]
    return any(text in names for each in data for _, text in each.scalars() if text)


def _squeezed(event: str) -> str:
    """Old releases write event names without spaces, new ones with."""
    return event.replace(" ", "").lower()
