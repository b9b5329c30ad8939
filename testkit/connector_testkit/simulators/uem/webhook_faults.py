"""What may go wrong between an event and its post, on command.

Old releases wrote ``System.Byte[]`` into two members, dates as ``/Date(ms)/``, event types without
spaces, and knew no ``EnrollmentUserId``. One enrolment may be posted under two event types.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from connector_testkit.simulators.uem.dates import microsoft
from connector_testkit.simulators.uem.events import Event, EventKind

SecondType = EventKind.ENROLLED_TOO.value
SPELLING_GAP = timedelta(milliseconds=120)
DATES = ("EventTime", "CompromisedTimeStamp")

WebhookFaultKind = Literal[
    "second_spelling",
    "duplicate",
    "delay",
    "reorder",
    "drop",
    "byte_array",
    "empty_email",
    "no_user_id",
    "old_dates",
    "old_spelling",
]


class WebhookFault(BaseModel):
    """A fault for the next ``count`` events (None: for all) whose type contains ``event``.

    ``seconds`` is how long ``delay`` holds an event back. ``reorder`` holds one until another has
    gone out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: WebhookFaultKind
    event: str = ""
    count: int | None = Field(default=1, ge=1)
    seconds: float = Field(default=1.0, ge=0, le=3600)


def broken(kind: WebhookFaultKind, event: Event) -> Event:
    """The event as a release with this defect writes it; unchanged for faults of the way."""
    change = DEFECTS.get(kind)
    changed = {**event, **change(event)} if change else event
    return {name: value for name, value in changed.items() if value is not None}


def second_spelling(event: Event) -> Event:
    """The same enrolment under its other event type, a moment later."""
    number, text = SecondType
    later = datetime.fromisoformat(_six_digits(event["EventTime"])) + SPELLING_GAP
    moment = f"{later.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}7Z"
    return {**event, "EventId": number, "EventType": text, "EventTime": moment}


def _six_digits(moment: str) -> str:
    """An EventTime with its fraction cut to what ``fromisoformat`` reads everywhere."""
    whole, _, fraction = moment.rstrip("Z").partition(".")
    return f"{whole}.{fraction[:6]:0<6}+00:00"


def _old_dates(event: Event) -> Event:
    return {name: microsoft(datetime.fromisoformat(_six_digits(event[name]))) for name in DATES}


DEFECTS: dict[WebhookFaultKind, Callable[[Event], Event]] = {
    "byte_array": lambda _: {"Udid": "System.Byte[]", "MACAddress": "System.Byte[]"},
    "empty_email": lambda _: {"EnrollmentEmailAddress": ""},
    "no_user_id": lambda _: {"EnrollmentUserId": None},
    "old_dates": _old_dates,
    "old_spelling": lambda event: {"EventType": re.sub(r"\s", "", event["EventType"])},
}
