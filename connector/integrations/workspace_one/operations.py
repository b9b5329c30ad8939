"""The calls of the REST interface that the target uses: names, paths, versions.

Paths are those of ``https://HOST/api/help`` of a tenant. Asking for a version that a call does not
have is answered with the newest one below it, named in ``X-Api-Version``.
"""

from enum import StrEnum


class Operation(StrEnum):
    """One call each; the value is its name in the settings."""

    INFO = "info"
    USER = "user"
    USER_BY_UUID = "user_by_uuid"
    USER_SEARCH = "user_search"
    DEVICE = "device"
    DEVICE_BY_UUID = "device_by_uuid"
    DEVICE_BY_KIND = "device_by_kind"
    DEVICE_SEARCH = "device_search"
    DEVICE_PROFILES = "device_profiles"
    DEVICE_CERTIFICATES = "device_certificates"
    DEVICE_EVENT_LOG = "device_event_log"
    UPLOAD = "upload"
    INSTALL_PROFILE = "install_profile"


PATHS: dict[Operation, str] = {
    Operation.INFO: "system/info",
    Operation.USER: "system/users/{id}",
    Operation.USER_BY_UUID: "system/users/{id}",
    Operation.USER_SEARCH: "system/users/search",
    Operation.DEVICE: "mdm/devices/{id}",
    Operation.DEVICE_BY_UUID: "mdm/devices/{id}",
    Operation.DEVICE_BY_KIND: "mdm/devices",
    Operation.DEVICE_SEARCH: "mdm/devices/search",
    Operation.DEVICE_PROFILES: "mdm/devices/{id}/profiles",
    Operation.DEVICE_CERTIFICATES: "mdm/devices/{id}/certificates",
    Operation.DEVICE_EVENT_LOG: "mdm/devices/{id}/eventlog",
    Operation.UPLOAD: "system/users/{id}/uploadsmimecerts",
    Operation.INSTALL_PROFILE: "mdm/profiles/{id}/install",
}
"""Below the settings' ``api_path``; ``{id}`` is one segment."""

DEFAULT_VERSION = 1
VERSIONS: dict[Operation, int] = {Operation.USER_BY_UUID: 2, Operation.DEVICE_BY_UUID: 2}
"""Look-ups by UUID exist from version 2 on."""


def segments(template: str, identifier: str) -> tuple[str, ...]:
    """The parts of a path, ``{id}`` replaced as a whole part."""
    return tuple(identifier if part == "{id}" else part for part in template.strip("/").split("/"))
