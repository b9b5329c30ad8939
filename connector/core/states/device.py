"""The state of a device."""

from enum import StrEnum
from typing import Literal

from connector.core.errors import Fault
from connector.core.model import Millis, Record, SubjectKey
from connector.core.states.wants import Want


class DeviceStatus(StrEnum):
    """The device's own small life."""

    UNKNOWN = "unknown"
    LOOKING = "looking"
    ENROLLED = "enrolled"
    LEFT = "left"
    LOST = "lost"


class DeviceState(Record):
    """A device and whose it is, so that "device 15 left" can be understood."""

    schema_version: Literal[1] = 1
    kind: Literal["device"] = "device"
    key: SubjectKey
    version: int = 0
    status: DeviceStatus = DeviceStatus.UNKNOWN
    holder: SubjectKey | None = None
    enrolled_at: Millis | None = None
    announced_at: Millis | None = None
    platform: str = ""
    serial: str = ""
    friendly_name: str = ""
    attempts: int = 0
    deadline: Millis | None = None
    ended_at: Millis | None = None
    cause: str | None = None
    trouble: Fault | None = None
    wants: tuple[Want, ...] = ()
