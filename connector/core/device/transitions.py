"""All allowed changes of a device's status; ``docs/states.md`` is generated from it."""

from connector.core.states import DeviceStatus

TRANSITIONS: dict[DeviceStatus, frozenset[DeviceStatus]] = {
    DeviceStatus.UNKNOWN: frozenset({DeviceStatus.LOOKING}),
    DeviceStatus.LOOKING: frozenset({DeviceStatus.ENROLLED, DeviceStatus.LEFT, DeviceStatus.LOST}),
    DeviceStatus.ENROLLED: frozenset({DeviceStatus.LOOKING, DeviceStatus.LEFT}),
    DeviceStatus.LEFT: frozenset({DeviceStatus.LOOKING, DeviceStatus.ENROLLED}),
    DeviceStatus.LOST: frozenset({DeviceStatus.LOOKING}),
}
