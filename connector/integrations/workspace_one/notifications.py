"""The dialect of Workspace ONE UEM event notifications, JSON or XML, to events.

Set in the console under System, Advanced, API, Event Notifications; one object per request, XML
with the root ``Eventlog`` and the members of the JSON. The type's text decides, spaces and case
aside (they changed between releases); its number only if the text is unknown, because
some senders repeat one number with every type. A notification is a hint: only the device's id is
taken from it as certain, everything else is looked up at the UEM.
"""

import hashlib
from typing import Final

from pydantic import TypeAdapter

from connector.core.errors import Rejected
from connector.core.events import DeviceChanged, DeviceEnrolled, DeviceUnenrolled, Event, event_id
from connector.core.model import Millis, SubjectKind, subject_key
from connector.integrations.workspace_one.notice import Notice, read_notice
from connector.integrations.workspace_one.times import read_time
from connector.sources.authentication import VerifiedNotification

DeviceEvent = DeviceEnrolled | DeviceUnenrolled | DeviceChanged
LABEL = "workspace-one"
"""Who said it: in events and metrics."""

LARGEST_ID = 2**63
TIME_DIGITS = 12
"""Hexadecimal digits of a time in milliseconds, up to the year 9999 and beyond."""

_event: Final = TypeAdapter(Event).validator

ENROLLED = DeviceEnrolled()
UNENROLLED = DeviceUnenrolled()
WIPE = DeviceUnenrolled(why="wipe requested")
ENTERPRISE_WIPE = DeviceUnenrolled(why="enterprise wipe requested")
DELETED = DeviceUnenrolled(why="deleted")

BY_TYPE: dict[str, DeviceEvent | None] = {
    "mdmenrollmentcomplete": ENROLLED,
    "enrollmentcomplete": ENROLLED,
    "breakmdmconfirmed": UNENROLLED,
    "deviceunenrolled": UNENROLLED,
    "deviceenterprisewiperequested": ENTERPRISE_WIPE,
    "enterprisewiperequested": ENTERPRISE_WIPE,
    "devicewiperequested": WIPE,
    "wiperequested": WIPE,
    "deletedevicerequested": DELETED,
    "deletedevice": DELETED,
    "devicedeleted": DELETED,
    "compromisedstatuschanged": DeviceChanged(what="compromised status"),
    "compliancestatuschanged": DeviceChanged(what="compliance status"),
    "deviceoperatingsystemchanged": DeviceChanged(what="operating system"),
    "deviceorganizationgroupchanged": DeviceChanged(what="organisation group"),
    "deviceownershipchanged": DeviceChanged(what="ownership"),
    "deviceuserchanged": DeviceChanged(what="user"),
    "devicemcc": None,
    "devicefriendlynamechanged": None,
    "devicephonenumberchanged": None,
}
"""What a type means, by its text without spaces in lower case; None means nothing to us."""

BY_NUMBER: dict[str, DeviceEvent] = {
    "148": ENROLLED,
    "39": UNENROLLED,
    "178": DeviceChanged(what="compromised status"),
    "229": ENTERPRISE_WIPE,
}


def normalise(notification: VerifiedNotification, now: Millis) -> Event | None:
    """The event in a notification, or None if it is not used.

    Args:
        notification: one JSON or XML object, as the console is set to send.
        now: our time, for ``received_at``.

    Raises:
        Rejected: ``EVT-001`` when it is not what the dialect prescribes, ``EVT-004`` in an
            encoding that is not supported.
    """
    notice = read_notice(notification.body, notification.kind)
    body = _meaning(notice)
    if body is None:
        return None
    device = _device(notice)
    occurred = read_time(notice.get("EventTime") or "")
    event: Event = _event.validate_python(
        {
            "id": _id(notification, device, body, occurred),
            "tenant": notification.tenant,
            "subject": subject_key(notification.tenant, SubjectKind.DEVICE, device),
            "source": LABEL,
            "occurred_at": None if occurred is None else min(occurred, now),
            "received_at": now,
            "body": _described(body, notice),
        }
    )
    return event


def _id(
    notification: VerifiedNotification, device: str, body: DeviceEvent, occurred: Millis | None
) -> str:
    """Tenant, device, kind and the sender's time; the same for every encoding of the event.

    It begins with the time: ids that grow keep the journal's index of known ids growing at its end,
    which halves the cost of an append. Without a time the same bytes are the same happening.
    """
    happening = body.what if isinstance(body, DeviceChanged) else ""
    parts = (notification.tenant, device, body.kind, happening)
    if occurred is None:
        return event_id(*parts, hashlib.sha256(notification.body).hexdigest())
    return f"{occurred:0{TIME_DIGITS}x}{event_id(*parts, str(occurred))[TIME_DIGITS:]}"


def _meaning(notice: Notice) -> DeviceEvent | None:
    text = (notice.get("EventType") or "").replace(" ", "").lower()
    if text in BY_TYPE:
        return BY_TYPE[text]
    return BY_NUMBER.get(str(notice.get("EventId") or "").strip())


def _device(notice: Notice) -> str:
    """The device's id as text without leading zeros, so that one device has one key."""
    device = _identifier(notice.get("DeviceId"))
    if device is None:
        raise Rejected("EVT-001", "reading the device of a notification")
    return device


def _identifier(value: int | str | None) -> str | None:
    """A positive number as canonical text; None where releases leave it out or send 0."""
    if isinstance(value, str):
        digits = value.strip()
        value = int(digits) if digits.isascii() and digits.isdecimal() else None
    return str(value) if value is not None and 0 < value < LARGEST_ID else None


def _described(body: DeviceEvent, notice: Notice) -> DeviceEvent | dict[str, str]:
    if not isinstance(body, DeviceEnrolled):
        return body
    return {"kind": body.kind, "platform": (notice.get("Platform") or "").strip()}
