"""The state of a device."""

from enum import StrEnum
from typing import Literal

from connector.core.errors import Fault
from connector.core.model import Millis, Record, SubjectKey
from connector.core.states.wants import Looks, Want


class DeviceStatus(StrEnum):
    """Whether a device is enrolled, as far as is known."""

    UNKNOWN = "unknown"
    LOOKING = "looking"
    ENROLLED = "enrolled"
    LEFT = "left"
    LOST = "lost"


class DeviceState(Record):
    """A device and its user, so that "device 15 left" can be assigned to a holder.

    ``enrolled_at`` and ``unenrolled_at`` are the newest times that notifications gave, never later
    than their receipt; ``enrolled_on`` is the UEM's own time of the enrolment that it shows.
    ``announced``: an enrolment was announced at ``announced_at`` that no look has confirmed yet.
    ``settles_at``: until then a look that contradicts the newest notification is repeated.
    """

    schema_version: Literal[1] = 1
    kind: Literal["device"] = "device"
    key: SubjectKey
    version: int = 0
    status: DeviceStatus = DeviceStatus.UNKNOWN
    holder: SubjectKey | None = None
    enrolled_at: Millis | None = None
    enrolled_on: Millis | None = None
    unenrolled_at: Millis | None = None
    unenrolled_why: str = ""
    announced: bool = False
    announced_at: Millis | None = None
    settles_at: Millis | None = None
    platform: str = ""
    serial: str = ""
    friendly_name: str = ""
    attempts: int = 0
    deadline: Millis | None = None
    ended_at: Millis | None = None
    cause: str | None = None
    trouble: Fault | None = None
    wants: tuple[Want, ...] = ()
    looks: Looks | None = None
