"""What the interface's user and device objects say, as facts of the core."""

from connector.core.model import DeviceFacts, HolderFacts, ProfileStatus
from connector.integrations.workspace_one.members import Members
from connector.integrations.workspace_one.settings import WorkspaceOneSettings
from connector.integrations.workspace_one.times import read_time

INACTIVE = frozenset({"false", "0", "inactive", "disabled"})
COMPROMISED = frozenset({"true", "1", "compromised", "yes"})
COMPLIANT = {"compliant": True, "noncompliant": False}
NOT_ATTRIBUTES = frozenset({"password", "status"})


def owner_of(device: Members) -> str:
    """The numeric id of a device's user; empty when it has none.

    ``EnrollmentUserUuid`` is no help: it may be all zeros for an enrolled device.
    """
    return device.identifier("userid")


def is_enrolled(device: Members, enrolled: tuple[str, ...]) -> bool:
    """Whether a device is under management; a pending wipe ends that."""
    return device.text("enrollmentstatus").lower() in enrolled


def platform_of(device: Members) -> str:
    """The platform as the settings' tables name it."""
    return (device.text("platform") or device.inner("platformid").text("name")).lower()


def is_ended(device: Members, ended: tuple[str, ...]) -> bool:
    """Whether its enrolment is over; a status that says neither may still become enrolled."""
    return device.text("enrollmentstatus").lower() in ended


def device_facts(
    device: Members, identifier: str, settings: WorkspaceOneSettings, profile: ProfileStatus
) -> DeviceFacts:
    """A device of ``GET mdm/devices/{id}``, version 1."""
    enrolled = is_enrolled(device, settings.enrolled_statuses)
    return DeviceFacts(
        id=identifier,
        holder=owner_of(device) or None,
        enrolled=enrolled,
        on_the_way=not enrolled and not is_ended(device, settings.ended_statuses),
        enrolled_on=read_time(device.text("lastenrolledon")),
        platform=platform_of(device),
        serial=device.text("serialnumber"),
        friendly_name=device.text("devicefriendlyname"),
        compromised=device.text("compromisedstatus").lower() in COMPROMISED,
        compliant=COMPLIANT.get(device.text("compliancestatus").lower()),
        last_seen=read_time(device.text("lastseen")),
        profile=profile,
    )


def holder_facts(user: Members, identifier: str, devices: tuple[DeviceFacts, ...]) -> HolderFacts:
    """A user of ``GET system/users/{id}``, version 1, with their devices.

    ``Status`` varies in type by release; only a value that clearly says "no" counts as inactive.
    """
    attributes = {name: text for name, text in user.scalars() if name not in NOT_ATTRIBUTES}
    return HolderFacts(
        id=identifier,
        active=user.text("status").lower() not in INACTIVE,
        name=user.text("username"),
        mail=user.text("email", "emailaddress").lower(),
        group=user.text("group"),
        attributes=attributes,
        devices=devices,
    )
