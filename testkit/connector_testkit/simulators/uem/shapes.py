"""Users, devices, profiles as the version 1 API shows them, with its quirks.

Ids are wrapped, ``Ownership`` is a letter, ``EnrollmentUserUuid`` is all zeros, a never-happened
date is that of the year 1, and a search shows less of a device than a look at the single one.
"""

from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from connector_testkit.simulators.uem.dates import NEVER, DateWriter, expiry
from connector_testkit.simulators.uem.events import NO_UUID
from connector_testkit.simulators.uem.records import (
    Device,
    LogLine,
    ProfileOnDevice,
    SampledCertificate,
    User,
)

GROUP_ID = 570
PLATFORM_IDS = {"Apple": 2, "Android": 5, "AppleOsX": 10, "WinRT": 12}
ONLY_SINGLE = ("EasId", "AssetNumber", "EnrollmentUserUuid", "LastComplianceCheckOn", "ManagedBy")


def _value(number: int) -> dict[str, int]:
    return {"Value": number}


def user_object(user: User, devices: int) -> dict[str, Any]:
    """A user; ``devices`` is how many devices are enrolled."""
    return {
        "Id": _value(user.id),
        "Uuid": user.uuid,
        "UserName": user.username,
        "FirstName": user.first_name,
        "LastName": user.last_name,
        "Status": user.active,
        "Email": user.email,
        "EmailUserName": user.username,
        "SecurityType": 1,
        "ContactNumber": "",
        "MobileNumber": "",
        "MessageType": 0,
        "Group": user.group,
        "LocationGroupId": str(GROUP_ID),
        "Role": "Full Access",
        "EnrolledDevicesCount": str(devices),
        "CustomAttribute1": "",
        "ExternalId": user.external_id,
        **user.attributes,
    }


def device_object(device: Device, user: User | None, dates: DateWriter) -> dict[str, Any]:
    """A device as a look at the single one shows it."""
    owner = user or User(0, NO_UUID, "")
    name = f"{owner.first_name} {owner.last_name}".strip() or owner.username
    return {
        "Id": _value(device.id),
        "Uuid": device.uuid,
        "Udid": device.udid,
        "SerialNumber": device.serial,
        "MacAddress": "",
        "Imei": "",
        "EasId": "",
        "AssetNumber": device.udid,
        "DeviceFriendlyName": device.name,
        "LocationGroupId": {"Id": _value(GROUP_ID), "Name": device.group},
        "LocationGroupName": device.group,
        "UserId": {"Id": _value(owner.id), "Name": name, "Uuid": owner.uuid},
        "UserName": owner.username,
        "UserEmailAddress": owner.email,
        "EnrollmentUserUuid": NO_UUID,
        "Ownership": "C",
        "PlatformId": {"Id": _value(PLATFORM_IDS.get(device.platform, 0)), "Name": device.platform},
        "Platform": device.platform,
        "Model": device.platform,
        "OperatingSystem": device.system,
        "PhoneNumber": "",
        "LastSeen": dates.api(device.last_seen),
        "EnrollmentStatus": device.status,
        "ComplianceStatus": device.compliance,
        "CompromisedStatus": device.compromised,
        "LastEnrolledOn": dates.api(device.enrolled_at),
        "LastComplianceCheckOn": dates.api(NEVER),
        "ManagedBy": 1,
    }


def found_device(device: Device, user: User | None, dates: DateWriter) -> dict[str, Any]:
    """A device as a search shows it."""
    shown = device_object(device, user, dates)
    return {name: value for name, value in shown.items() if name not in ONLY_SINGLE}


def profile_object(profile: ProfileOnDevice) -> dict[str, Any]:
    """A profile on a device."""
    return {
        "Id": _value(profile.id),
        "Name": profile.name,
        "Description": "",
        "Status": int(profile.status),
        "AssignmentType": 1,
        "LocationGroupId": {"Id": _value(GROUP_ID)},
        "CurrentVersion": profile.version,
        "InstalledProfileVersion": profile.installed_version,
    }


def certificate_object(
    number: int, device: Device, sampled: SampledCertificate, dates: DateWriter
) -> dict[str, Any]:
    """A certificate in a device's sample; no serial number and no thumbprint is shown."""
    certificate = sampled.pair.certificate
    return {
        "Id": _value(number),
        "DeviceId": _value(device.id),
        "Name": _common_name(certificate.subject),
        "IssuedBy": _common_name(certificate.issuer),
        "ExpiresOn": expiry(certificate.not_valid_after_utc),
        "Status": 1,
        "FirstSampleTime": dates.api(sampled.first),
        "LastSampleTime": dates.api(sampled.last),
    }


def log_object(line: LogLine, dates: DateWriter) -> dict[str, Any]:
    """A line of a device's event log. The form of ``EventDataList`` is assumed."""
    return {
        "Id": _value(line.id),
        "TimeStamp": dates.api(line.at),
        "Severity": "Information",
        "Source": "Device",
        "Event": line.event,
        "AdminAccount": "",
        "EventDataList": [{"Name": name, "Value": value} for name, value in line.facts.items()],
    }


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()
