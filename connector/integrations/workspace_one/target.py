"""The target ``workspace_one``: the methods of :class:`connector.core.ports.Target`."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import ClassVar, Self

from pydantic import BaseModel

from connector.core.errors import Permanent
from connector.core.model import DeviceFacts, HolderFacts, ProfileStatus, Slot
from connector.core.policy import profile_for
from connector.core.ports import (
    ArchivedMode,
    Bundle,
    Delivered,
    Evidence,
    GoneLook,
    InstallQuestion,
    RequestPermits,
    TargetCapabilities,
)
from connector.core.reach import Reach
from connector.integrations.workspace_one.api import Api, Found, incomplete
from connector.integrations.workspace_one.directory import Directory
from connector.integrations.workspace_one.evidence import InstallEvidence
from connector.integrations.workspace_one.facts import (
    device_facts,
    holder_facts,
    is_enrolled,
    owner_of,
    platform_of,
)
from connector.integrations.workspace_one.members import Members, is_number
from connector.integrations.workspace_one.operations import Operation
from connector.integrations.workspace_one.paging import Pages
from connector.integrations.workspace_one.profiles import DeviceProfiles
from connector.integrations.workspace_one.refusals import is_page, refusal_in, somebody_elses
from connector.integrations.workspace_one.settings import WorkspaceOneSettings
from connector.integrations.workspace_one.upload import Upload
from connector.upstream import Answer
from connector.upstream.headers import reference


class WorkspaceOne:
    """One Workspace ONE UEM tenant. Used as ``async with target:``; closing twice is harmless.

    Opening reads the secret files and raises ``Permanent`` ``CFG-003`` of the whole upstream
    when one is unusable.
    """

    name: ClassVar[str] = "workspace_one"
    settings_model: ClassVar[type[BaseModel]] = WorkspaceOneSettings
    capabilities: ClassVar[TargetCapabilities] = TargetCapabilities(
        push=True, reads_copy_back=False
    )

    def __init__(
        self, upstream: str, settings: WorkspaceOneSettings, permits: RequestPermits | None = None
    ) -> None:
        self._settings = settings
        self._api = Api(upstream, settings, permits)
        pages = Pages(self._api, settings.page_size)
        self._directory = Directory(self._api, pages)
        self._profiles = DeviceProfiles(pages, settings.profile_statuses)
        self._evidence = InstallEvidence(settings, self._directory, self._profiles, pages)

    def reach(self) -> Reach:
        """The interface, the TLS files, and those with password and tenant code."""
        return self._settings.reach()

    async def __aenter__(self) -> Self:
        await self._api.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._api.close()

    async def probe(self) -> None:
        """Login, tenant code and rights are checked; no user's data is read."""
        await self._api.probe()

    async def look_up_device(self, device: str) -> DeviceFacts | None:
        """A device by numeric id or UUID, and its user; its profile is not looked at."""
        found = await self._directory.device(device)
        return None if found is None else self._device(found, ProfileStatus.UNKNOWN)

    async def look_up(self, holder: str, profiles: dict[str, str]) -> HolderFacts | None:
        """A user by numeric id or UUID with all their devices, each looked at by itself.

        Raises:
            Transient: ``UEM-009`` when the interface contradicts itself about the devices.
        """
        user = await self._directory.user(holder)
        if user is None:
            return None
        identifier = user.members.identifier("id")
        devices = []
        for number in await self._directory.devices_of(user.members):
            found = await self._directory.device(number)
            if found is not None and owner_of(found.members) == identifier:
                devices.append(self._device(found, await self._profile(found, number, profiles)))
        self._check_count(user.members, devices)
        return holder_facts(user.members, identifier, tuple(devices))

    async def find_users(self, text: str) -> tuple[str, ...]:
        """Users by user name, mail or device serial; exact, in any case."""
        return tuple(await self._directory.users_named(text))

    async def deliver(
        self, holder: str, bundles: Sequence[Bundle], sending: Callable[[], None]
    ) -> Delivered:
        """Replace the user's whole set by one ``uploadsmimecerts``. Never repeated here.

        Raises:
            Permanent: ``UEM-400``, ``UEM-403``, ``UEM-404`` refused; ``UEM-401`` login refused;
                ``KEY-103`` archived pairs although ``archived_mode`` is off (nothing was sent).
            Transient: ``UEM-002``, ``UEM-010`` when the set may be there; ``UEM-004`` throttled.
        """
        self._check(holder, bundles)
        upload = Upload(bundles, self._settings.archived_member)
        return verdict(await self._api.upload(holder, upload.content(), sending))

    async def push(self, device: str, profile: str) -> None:
        """Let the UEM install our profile on a device once more.

        Raises:
            Permanent: ``UEM-404`` when device or profile are unknown or do not belong together.
        """
        document: dict[str, object] = {"DeviceId": device}
        if self._settings.push_by == "serial_number":
            facts = await self.look_up_device(device)
            if facts is None:
                raise Permanent("UEM-404", "pushing a profile: device unknown")
            if facts.serial:
                document = {"SerialNumber": facts.serial}
        status = await self._api.post(Operation.INSTALL_PROFILE, profile, document)
        if status >= 400:  # noqa: PLR2004 - the statuses that the call leaves to us
            raise Permanent("UEM-404", f"pushing a profile: answered {status}")

    async def look_installed(self, question: InstallQuestion) -> Evidence:
        """Status, certificate list and event log of each device, on the UEM's clock."""
        return await self._evidence.gather(question)

    async def look_gone(self, holder: str) -> GoneLook:
        """The UEM's clock. No public call tells whether a user's certificates are still there."""
        _ = holder
        return GoneLook(server_time=(await self._api.information()).server_time)

    def _check(self, holder: str, bundles: Sequence[Bundle]) -> None:
        if not is_number(holder):
            raise Permanent("UEM-404", "uploading: the call takes numeric user ids only")
        off = self._settings.archived_mode is ArchivedMode.OFF
        if off and any(bundle.slot is Slot.ARCHIVED for bundle in bundles):
            raise Permanent("KEY-103", "uploading: archived pairs are there and archived_mode: off")

    def _check_count(self, user: Members, devices: Sequence[DeviceFacts]) -> None:
        """Check that the search returned all devices, so that none is overlooked.

        A device on the way does not count: it would stand for an enrolled one that is missing.
        """
        told = user.number("enrolleddevicescount") or 0
        found = sum(device.enrolled for device in devices)
        if self._settings.check_device_count and found < told:
            raise incomplete(f"searching a user's devices: {found} of {told} found")

    async def _profile(self, device: Found, number: str, profiles: dict[str, str]) -> ProfileStatus:
        """Our profile's status; a device that is not enrolled is not asked about."""
        if not is_enrolled(device.members, self._settings.enrolled_statuses):
            return ProfileStatus.NONE
        profile = profile_for(platform_of(device.members), profiles)
        return (await self._profiles.look(number, profile)).status

    def _device(self, found: Found, profile: ProfileStatus) -> DeviceFacts:
        number = found.members.identifier("id")
        return device_facts(found.members, number, self._settings, profile)


def verdict(answer: Answer) -> Delivered:
    """The outcome of an upload that was answered with success or a status 4xx.

    Raises:
        Permanent: ``UEM-400``, ``UEM-404`` with the UEM's own numbers; never its text.
        Transient: ``UEM-011`` for an HTML page, and for a 404 that is not the UEM's own.
    """
    if answer.status < HTTPStatus.BAD_REQUEST:
        return Delivered(server_time=answer.server_time)
    refusal = refusal_in(answer)
    detail = f"uploading: refused with {answer.status}{refusal}{reference(answer.headers)}"
    unknown = answer.status == HTTPStatus.NOT_FOUND
    if is_page(answer) or (unknown and not refusal.number):
        raise somebody_elses(detail)
    raise Permanent("UEM-404" if unknown else "UEM-400", detail)
