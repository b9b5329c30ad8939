"""Acme's device management as a target: users, devices, uploads, evidence."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from acme_connector.interface import REFUSED, AcmePlugin, Wire
from connector.core.errors import ConnectorError, Permanent, Transient
from connector.core.model import (
    DeviceEvidence,
    DeviceFacts,
    HolderFacts,
    Millis,
    ProfileStatus,
    UpstreamId,
)
from connector.core.ports import (
    Bundle,
    Delivered,
    Evidence,
    GoneLook,
    InstallQuestion,
    TargetCapabilities,
)
from connector.upstream import UEM, Kind, upload


class Device(Wire):
    """A device as Acme shows it; ``certificates`` are those of its newest report."""

    id: UpstreamId
    user: UpstreamId | None
    enrolled: bool
    platform: str
    serial: str
    profiles: dict[str, ProfileStatus]
    certificates: tuple[str, ...]
    reported_at: Millis


class User(Wire):
    """A user with all devices."""

    id: UpstreamId
    name: str
    mail: str
    devices: tuple[Device, ...]


class Users(Wire):
    """What a search found."""

    users: tuple[User, ...]


class Copy(Wire):
    """Whether Acme holds the keys of a user."""

    held: bool


class AcmeMdm(AcmePlugin):
    """One Acme system; see :class:`connector.core.ports.Target`."""

    # What the product cannot do is declared, never skipped.
    capabilities: ClassVar[TargetCapabilities] = TargetCapabilities(reads_copy_back=True)
    area, codes, foreign = "mdm", UEM, "UEM-011"

    async def look_up_device(self, device: str) -> DeviceFacts | None:
        """A device, and whose it is."""
        found, _ = await self._device(device)
        return None if found is None else _facts(found, None)

    async def look_up(self, holder: str, profiles: dict[str, str]) -> HolderFacts | None:
        """A user with all devices; one that is not the user's makes the whole answer void."""
        answer = await self._look("users", holder)
        if self._word(answer) == "unknown_user":
            return None
        user = self._read(User, answer)
        if user.id != holder or any(device.user != holder for device in user.devices):
            raise self._http.fault(Kind.NONSENSE, "looking up a user: about another one")
        devices = tuple(_facts(device, profiles) for device in user.devices)
        return HolderFacts(id=user.id, name=user.name, mail=user.mail, devices=devices)

    async def find_users(self, text: str) -> tuple[str, ...]:
        """Acme's search finds parts of names, so each answer is compared again."""
        answer = await self._look("users", query={"text": text})
        found = self._read(Users, answer).users
        return tuple(user.id for user in found if text.casefold() in _names(user))

    async def deliver(
        self, holder: str, bundles: Sequence[Bundle], sending: Callable[[], None]
    ) -> Delivered:
        """Replace the user's set.

        ``upload`` calls ``sending`` right before the first byte, says "fate unknown" without a
        clear answer, and overwrites the body. What is left to us is Acme's clear refusal.
        """
        path = ("mdm", "users", holder, "smime")
        content = packed(bundles)
        answer = await upload(self._http, "PUT", path, content, sending, headers=self._login())
        if answer.status < REFUSED:
            return Delivered(server_time=answer.server_time)
        try:
            word = self._word(answer)
        except ConnectorError as error:  # a proxy refused: Acme may have the set
            raise Transient("UEM-002", f"uploading: {error.detail}") from None
        code = "UEM-404" if word == "unknown_user" else "UEM-400"
        raise Permanent(code, f"uploading: refused with {answer.status}")

    async def push(self, device: str, profile: str) -> None:
        """Let the device fetch the profile once more."""
        answer = await self._act("POST", "devices", device, "profiles", profile)
        if self._word(answer):
            raise Permanent("UEM-404", f"pushing a profile: refused with {answer.status}")

    async def look_installed(self, question: InstallQuestion) -> Evidence:
        """What each device reported last, on Acme's clock. What that proves is not ours to say."""
        looks = [await self._evidence(device, question) for device in question.devices]
        times = [time for _, time in looks if time is not None]
        devices = tuple(evidence for evidence, _ in looks)
        return Evidence(devices=devices, server_time=max(times, default=None))

    async def look_gone(self, holder: str) -> GoneLook:
        """Whether Acme has a copy. Of a user that is not there it says nothing: None, not False."""
        answer = await self._look("users", holder, "smime")
        if self._word(answer) == "unknown_user":
            return GoneLook(server_time=answer.server_time)
        held = self._read(Copy, answer).held
        return GoneLook(server_time=answer.server_time, copy_present=held)

    async def _device(self, device: str) -> tuple[Device | None, Millis | None]:
        """A device by its id, and Acme's clock; None in Acme's own words only."""
        answer = await self._look("devices", device)
        if self._word(answer) == "unknown_device":
            return None, answer.server_time
        found = self._read(Device, answer)
        if found.id != device:  # match every answer again with what was asked
            raise self._http.fault(Kind.NONSENSE, "looking up a device: about another one")
        return found, answer.server_time

    async def _evidence(
        self, device: str, question: InstallQuestion
    ) -> tuple[DeviceEvidence, Millis | None]:
        found, time = await self._device(device)
        if found is None or not found.enrolled or found.user != question.holder:
            return DeviceEvidence(device=device, enrolled=False), time
        current = question.current.fingerprint in found.certificates
        archived = {one.fingerprint for one in question.archived}
        evidence = DeviceEvidence(
            device=device,
            profile=_status(found, question.profiles),
            certificate_seen_at=found.reported_at if current else None,
            archived_listed=frozenset(archived & set(found.certificates)) if current else None,
            last_seen=found.reported_at,
        )
        return evidence, time


def packed(bundles: Sequence[Bundle]) -> bytearray:
    """Acme's upload: per pair a line "slot size size", then PKCS#12 and password as they are.

    In one buffer of the right size from the start: ``reveal`` is no copy, and a buffer that grows
    would leave its earlier places in memory behind.
    """
    pieces: list[bytes | bytearray] = []
    for one in bundles:
        pieces.append(f"{one.slot.value} {len(one.pkcs12)} {len(one.password)}\n".encode())
        pieces += [one.pkcs12.reveal(), one.password.reveal()]
    body = bytearray(sum(map(len, pieces)))
    end = 0
    for piece in pieces:
        body[end : end + len(piece)] = piece
        end += len(piece)
    return body


def _facts(device: Device, profiles: dict[str, str] | None) -> DeviceFacts:
    return DeviceFacts(
        id=device.id,
        holder=device.user,
        enrolled=device.enrolled,
        platform=device.platform,
        serial=device.serial,
        last_seen=device.reported_at,
        profile=ProfileStatus.UNKNOWN if profiles is None else _status(device, profiles),
    )


def _status(device: Device, profiles: dict[str, str]) -> ProfileStatus:
    """How the mail profile of the device's platform stands; ``*`` serves every other platform."""
    profile = profiles.get(device.platform.lower(), profiles.get("*", ""))
    return device.profiles.get(profile, ProfileStatus.NONE)


def _names(user: User) -> set[str]:
    """All that a user may be called by, in small letters."""
    texts = (user.name, user.mail, *(device.serial for device in user.devices))
    return {text.casefold() for text in texts}
