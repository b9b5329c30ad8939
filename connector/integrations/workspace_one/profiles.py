"""What the interface says of our mail profile on one device."""

from typing import NamedTuple

from connector.core.model import ProfileStatus
from connector.integrations.workspace_one.members import Members
from connector.integrations.workspace_one.operations import Operation
from connector.integrations.workspace_one.paging import Pages
from connector.integrations.workspace_one.settings import ProfileStatuses


class ProfileLook(NamedTuple):
    """A profile's status on a device, and all that names it: its id and its name there."""

    status: ProfileStatus
    names: frozenset[str] = frozenset()


class DeviceProfiles:
    """Looks profiles up on devices."""

    def __init__(self, pages: Pages, statuses: ProfileStatuses) -> None:
        self._pages = pages
        self._statuses = statuses

    async def look(self, device: str, profile: str | None) -> ProfileLook:
        """How ``profile`` stands on ``device``.

        An empty list is no statement: the interface sometimes gives one for a device that has
        profiles. ``NONE`` needs a list in which ours is missing.
        """
        if profile is None:
            return ProfileLook(ProfileStatus.NONE)
        listed = await self._pages.all(Operation.DEVICE_PROFILES, "deviceprofiles", device)
        if not listed:
            return ProfileLook(ProfileStatus.UNKNOWN, frozenset({profile}))
        for entry in listed:
            if entry.identifier("id") == profile:
                return ProfileLook(self._status(entry), frozenset({profile, entry.text("name")}))
        return ProfileLook(ProfileStatus.NONE)

    def _status(self, entry: Members) -> ProfileStatus:
        """Installed needs the current version too, where the UEM lists versions."""
        value = entry.text("status").lower()
        if value in self._statuses.installed:
            installed, current = (
                entry.number("installedprofileversion"),
                entry.number("currentversion"),
            )
            is_old = installed is not None and current is not None and installed < current
            return ProfileStatus.PENDING if is_old else ProfileStatus.INSTALLED
        if value in self._statuses.pending:
            return ProfileStatus.PENDING
        if value in self._statuses.removed:
            return ProfileStatus.NONE
        return ProfileStatus.ERROR if value in self._statuses.error else ProfileStatus.UNKNOWN
