"""Users and devices as later versions show them when they are asked for by UUID: camel case."""

from typing import Any

from connector_testkit.simulators.uem.dates import DateWriter
from connector_testkit.simulators.uem.events import NO_UUID
from connector_testkit.simulators.uem.records import Device, User


def user_object_v2(user: User) -> dict[str, Any]:
    """A user of ``GET system/users/{uuid}``."""
    return {
        "id": user.id,
        "uuid": user.uuid,
        "userName": user.username,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "emailAddress": user.email,
        "externalId": user.external_id,
        "status": user.active,
    }


def device_object_v2(device: Device, user: User | None, dates: DateWriter) -> dict[str, Any]:
    """A device of ``GET mdm/devices/{uuid}``, nested."""
    owner = user or User(0, NO_UUID, "")
    return {
        "uuid": device.uuid,
        "udid": device.udid,
        "serialNumber": device.serial,
        "friendlyName": device.name,
        "platformInfo": {"deviceType": device.platform, "osVersion": device.system},
        "enrollmentInfo": {
            "enrollmentStatus": device.status.upper(),
            "compliant": device.compliance == "Compliant",
            "enrollmentTimestamp": dates.api(device.enrolled_at),
            "lastSeenTimestamp": dates.api(device.last_seen),
            "ownership": "CORPORATE_DEDICATED",
            "userName": owner.username,
            "userEmailAddress": owner.email,
            "enrollmentUserUuid": owner.uuid,
        },
    }
