"""Input and output of a hand-over process. They hold references only, no key."""

from typing import Literal

from pydantic import Field, JsonValue

from connector.core.errors import Fault
from connector.core.model import (
    Millis,
    OpenRequest,
    Record,
    SetEntry,
    Sha256Hex,
    Slot,
)
from connector.core.reach import SandboxPart
from connector.core.selection import SelectionRules


class PluginReference(Record):
    """A plug-in by its entry-point name, with its settings as JSON (secrets are file paths)."""

    plugin: str
    name: str
    settings: dict[str, JsonValue]


class HandoverJob(Record):
    """One hand-over: exactly these generations of this person for this holder.

    ``limit`` is in seconds from the moment the parent starts the process. ``ca_rate`` and
    ``uem_rate`` are the requests per second that it may send, None without a limit.
    """

    attempt: int
    holder: str
    person: str
    route: str
    escrow: PluginReference
    target: PluginReference
    entries: tuple[SetEntry, ...] = Field(min_length=1)
    requests: tuple[OpenRequest, ...]
    digest: Sha256Hex
    address: str
    now: Millis
    rules: SelectionRules
    pkcs12_profile: Literal["modern", "compat"] = "modern"
    issuers_file: str | None = None
    limit: float = Field(gt=0, le=600)
    ca_rate: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    uem_rate: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    crash_at: str | None = None
    crash_by: Literal["kill", "stop"] = "kill"


class BundleReceipt(Record):
    """One bundle that was sent: its slot, generation and size in bytes."""

    slot: Slot
    fingerprint: Sha256Hex
    size: int


class Accepted(Record):
    """The target took the set.

    ``memory_locked`` and ``sandbox`` say how the process was protected that held the keys.
    """

    outcome: Literal["accepted"] = "accepted"
    digest: Sha256Hex
    bundles: tuple[BundleReceipt, ...]
    server_time: Millis | None
    memory_locked: bool
    sandbox: tuple[SandboxPart, ...] = ()
    seconds: dict[str, float] = Field(default_factory=dict)


class Unfinished(Record):
    """A hand-over without a receipt of the target.

    ``disclosed``: how many keys had left escrow. ``memory_locked`` and ``sandbox`` are as in
    :class:`Accepted`; None when the process ended before it reported them.
    """

    fault: Fault
    disclosed: int = 0
    memory_locked: bool | None = None
    sandbox: tuple[SandboxPart, ...] | None = None


class NotSent(Unfinished):
    """Nothing reached the target."""

    outcome: Literal["not_sent"] = "not_sent"


class Refused(Unfinished):
    """The target answered that it did not take the set."""

    outcome: Literal["refused"] = "refused"


class Changed(Record):
    """The CA no longer lists exactly the approved generations; nothing was fetched or sent."""

    outcome: Literal["changed"] = "changed"


class Unknown(Unfinished):
    """The upload may or may not have reached the target.

    ``answered``: each upload of the process was answered, so that none is still on its way.
    """

    outcome: Literal["unknown"] = "unknown"
    answered: bool = False


HandoverOutcome = Accepted | NotSent | Refused | Changed | Unknown
