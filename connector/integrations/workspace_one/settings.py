"""Settings of the target ``workspace_one``.

What is only assumed about the product is a setting here; its default is the safest assumption.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from connector.core.ports import ArchivedMode
from connector.core.upstream import UpstreamSettings
from connector.integrations.workspace_one.operations import PATHS, Operation

MEMBERS = r"^[A-Za-z][A-Za-z0-9]{0,63}$"
PREFIX = r"^/?[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*/?$"
PATH = r"^/?[A-Za-z0-9._{}-]+(/[A-Za-z0-9._{}-]+)*/?$"

NO_BUNDLE = (
    "bundle is not available: one PKCS#12 with several keys cannot be written here, and it is only "
    "assumed that the UEM would read it; use list-field with the member's name from "
    "https://HOST/api/help, or off"
)
CONSIDER_ARCHIVED = (
    "Every upload replaces all that the UEM holds; without the earlier pairs, older mail becomes "
    "unreadable on the devices. list-field: they are sent in the member archived_member, whose "
    "name is shown on the tenant's https://HOST/api/help. off: they are not sent, and users with "
    "more than one encryption certificate are refused unless the route accepts that."
)


def _is_possible(mode: ArchivedMode) -> ArchivedMode:
    if mode is ArchivedMode.BUNDLE:
        raise ValueError(NO_BUNDLE)
    return mode


def _word(value: object) -> object:
    """A number in the settings' file as the text that it is compared with."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else value


Word = Annotated[
    str,
    BeforeValidator(_word),
    AfterValidator(str.lower),
    Field(min_length=1),
    WithJsonSchema({"type": ["string", "integer"], "minLength": 1}),
]


class ProfileStatuses(BaseModel):
    """Which values of a device profile's ``Status`` mean what; numbers as text, words lower case.

    3, 0, 1 and 6 are known from field scripts; 2, 4, 5 and the words are assumed. A value that is
    in none of the lists says nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    installed: tuple[Word, ...] = Field(
        default=("3", "installed"), description="The profile is on the device."
    )
    pending: tuple[Word, ...] = Field(
        default=("0", "1", "2", "pending"), description="The installation is pending."
    )
    removed: tuple[Word, ...] = Field(
        default=("4", "5", "removed"), description="The profile is being, or was, removed."
    )
    error: tuple[Word, ...] = Field(
        default=("6", "error", "failed"), description="The installation failed."
    )


class WorkspaceOneSettings(UpstreamSettings):
    """How to reach and to read a Workspace ONE UEM tenant.

    ``address`` is the API host without ``/API``. Secrets are files, read again at each opening.
    """

    username: str = Field(
        min_length=1,
        max_length=256,
        pattern=r"^[^:\x00-\x1f]+$",
        description="Administrator account with REST rights (no colon, RFC 7617 section 2).",
    )
    password_file: Path = Field(description="Its password (a mounted secret).")
    tenant_code_file: Path = Field(
        description="The API key of the organisation group, aw-tenant-code (a mounted secret)."
    )
    archived_mode: Annotated[ArchivedMode, AfterValidator(_is_possible)] = Field(
        description="How earlier encryption pairs are sent: list-field or off; no default.",
        json_schema_extra={"x-consider": CONSIDER_ARCHIVED},
    )
    archived_member: str = Field(
        default="ArchivedCertificates",
        pattern=MEMBERS,
        description="Name of the upload's member with the earlier encryption pairs (assumed).",
    )
    api_path: str = Field(default="API", pattern=PREFIX, description="Prefix of all API paths.")
    upload_path: str = Field(
        default=PATHS[Operation.UPLOAD],
        pattern=PATH,
        description="Path of the upload below api_path; {id} is the user's number.",
    )
    versions: dict[Operation, int] = Field(
        default={}, description="Version asked for in Accept, per operation, where it is not 1."
    )
    profile_statuses: ProfileStatuses = Field(
        default=ProfileStatuses(), description="Meaning of a device profile's status."
    )
    enrolled_statuses: tuple[Word, ...] = Field(
        default=("enrolled", "4"),
        description="Enrolment statuses (lower case) of a device under management.",
    )
    ended_statuses: tuple[Word, ...] = Field(
        default=(
            "unenrolled",
            "unenrolledbyfeedbackservice",
            "enterprisewipepending",
            "devicewipepending",
            "wipeinitiated",
            "deviceretired",
            "retired",
            "deviceblacklisted",
            "5",
            "6",
            "7",
            "8",
            "10",
            "13",
        ),
        description="Enrolment statuses (lower case) of a device whose enrolment is over. A status "
        "in neither list is checked again until worker.device_deadline.",
    )
    install_event: str = Field(
        default="InstallProfileConfirmed",
        description="Name of the device event that confirms an installation.",
    )
    event_severity: str = Field(
        default="information",
        pattern=r"^[a-z]*$",
        description="Severity filter of the device event log; empty: no filter.",
    )
    event_days: int = Field(
        default=14, ge=1, le=365, description="Days of the event log that are read."
    )
    expiry_tolerance: int = Field(
        default=0,
        ge=0,
        le=86_400,
        description="Seconds by which a device's list may differ from a certificate's expiry.",
    )
    check_device_count: bool = Field(
        default=True,
        description="Accept a search of a user's devices only when it finds as many as the user's "
        "EnrolledDevicesCount says.",
    )
    push_by: Literal["serial_number", "device_id"] = Field(
        default="serial_number",
        description="How a profile push names the device; device_id is assumed to work.",
    )
    page_size: int = Field(default=500, ge=1, le=500, description="Entries per page.")

    @model_validator(mode="after")
    def _paths_fit(self) -> Self:
        if self.address.lower().endswith("/api"):
            raise ValueError("address must not end in /API; that is api_path")
        if "{id}" not in self.upload_path.strip("/").split("/"):
            raise ValueError("upload_path must have {id} as one of its parts")
        return self
