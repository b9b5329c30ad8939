"""Event notifications as the product posts them: one flat object, in JSON or XML.

All members are always there, empty when unknown. The XML form has the root element ``Eventlog``
and the same member names; its declaration names two namespaces that are not used.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from xml.sax.saxutils import escape

import orjson

from connector_testkit.simulators.uem.dates import DateWriter
from connector_testkit.simulators.uem.records import Device, User

Event = dict[str, Any]

NO_UUID = "00000000-0000-0000-0000-000000000000"
XML_HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<Eventlog xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
)


class EventKind(Enum):
    """Number and text of an event type. 0 stands where no source shows the number."""

    ENROLLED = (148, "MDM Enrollment Complete")
    ENROLLED_TOO = (0, "Enrollment Complete")
    UNENROLLED = (39, "Break MDM Confirmed")
    COMPROMISED = (178, "Compromised Status Changed")
    WIPE_REQUESTED = (229, "DeviceEnterpriseWipeRequested")
    COMPLIANCE = (0, "Compliance Status Changed")
    SYSTEM = (0, "Device Operating System Changed")
    GROUP = (0, "Device Organization Group Changed")


def describe(kind: EventKind, device: Device, user: User, at: datetime, dates: DateWriter) -> Event:
    """The event of ``kind`` about ``device`` and its user, every member filled as usual."""
    number, text = kind.value
    return {
        "EventId": number,
        "EventType": text,
        "DeviceId": device.id,
        "DeviceFriendlyName": device.name,
        "EnrollmentEmailAddress": user.email,
        "EnrollmentUserName": user.username,
        "EventTime": dates.event(at),
        "EnrollmentStatus": device.status,
        "CompromisedStatus": "Compromised" if device.compromised else "",
        "CompromisedTimeStamp": dates.event(at + timedelta(seconds=2.5)),
        "ComplianceStatus": device.compliance,
        "PhoneNumber": "",
        "Udid": device.udid,
        "SerialNumber": device.serial,
        "MACAddress": "000000000000",
        "DeviceIMEI": "",
        "EnrollmentUserId": user.id,
        "AssetNumber": device.udid,
        "Platform": device.platform,
        "OperatingSystem": device.system,
        "Ownership": "CorporateDedicated",
        "SIMMCC": "",
        "CurrentMCC": "",
        "OrganizationGroupName": device.group,
        "DeviceUUID": device.uuid,
        "EnrollmentUserUUID": user.uuid,
    }


def without_user(event: Event, *, keep_id: bool) -> Event:
    """An unenrolment's form: user name and mail are empty, perhaps the ids as well."""
    changed = {**event, "EnrollmentUserName": "", "EnrollmentEmailAddress": ""}
    changed["ComplianceStatus"] = "NotAvailable"
    return changed if keep_id else {**changed, "EnrollmentUserId": 0, "EnrollmentUserUUID": NO_UUID}


def as_json(event: Mapping[str, Any]) -> bytes:
    """The JSON form."""
    return orjson.dumps(event)


def as_xml(event: Mapping[str, Any]) -> bytes:
    """The XML form, empty members as empty elements."""
    lines = [_element(name, str(value)) for name, value in event.items()]
    return f"{XML_HEAD}{''.join(lines)}</Eventlog>".encode()


def _element(name: str, text: str) -> str:
    return f"  <{name}>{escape(text)}</{name}>\n" if text else f"  <{name} />\n"
