"""Events: verified, normalised facts in the journal. A closed set; `schemas/` has the JSON."""

import hashlib
from typing import Annotated, Literal

from pydantic import Field

from connector.core.model import IdentityPair, Millis, Record, Sha256Hex, SubjectKey

Text = Annotated[str, Field(max_length=512)]
LONGEST_POSITION = 1024
"""Bytes of a read position in a feed."""


class DeviceEnrolled(Record):
    """A device finished enrolment (UEM webhook).

    ``holder_hint`` is in events of earlier versions only; the UEM is asked whose device it is.
    """

    kind: Literal["device_enrolled"] = "device_enrolled"
    platform: Text = ""
    holder_hint: Annotated[Text, Field(exclude=True)] = ""


class DeviceUnenrolled(Record):
    """A device left management, or a wipe of it was requested (UEM webhook)."""

    kind: Literal["device_unenrolled"] = "device_unenrolled"
    why: Text = "unenrolled"


class DeviceChanged(Record):
    """Something about a device changed: ownership, group, compliance, compromised state.

    ``seen_with``: the holder whose look at the UEM showed the device as theirs, to be verified.
    ``missed_by``: the holder who has the device and whose look did not show it; they get an event
    if it is not theirs any more.
    """

    kind: Literal["device_changed"] = "device_changed"
    what: Text = ""
    seen_with: SubjectKey | None = None
    missed_by: SubjectKey | None = None


class DeviceJoined(Record):
    """A device was found to be the holder's (from the device's own state machine).

    ``enrolled_at``: when notifications say that it enrolled, ``enrolled_on``: when the UEM says so,
    ``announced_at``: when its newest enrolment notification was received.
    """

    kind: Literal["device_joined"] = "device_joined"
    device: SubjectKey
    platform: Text = ""
    serial: Text = ""
    friendly_name: Text = ""
    enrolled_at: Millis
    enrolled_on: Millis | None = None
    announced_at: Millis | None = None


class DeviceLeft(Record):
    """A device is not the holder's any more."""

    kind: Literal["device_left"] = "device_left"
    device: SubjectKey
    why: Text = "unenrolled"


class CertificatesChanged(Record):
    """The CA says that a person's certificates changed; the person's holders get the event."""

    kind: Literal["certificates_changed"] = "certificates_changed"
    what: Literal["issued", "renewed", "revoked", "unknown"] = "unknown"
    fingerprint: Sha256Hex | None = None


class HolderRegistered(Record):
    """A holder asks for an event whenever this person's certificates change."""

    kind: Literal["holder_registered"] = "holder_registered"
    holder: SubjectKey


class HolderForgotten(Record):
    """A holder needs no more events about this person."""

    kind: Literal["holder_forgotten"] = "holder_forgotten"
    holder: SubjectKey


class HumanAct(Record):
    """Who acted, and why. ``by`` is the verified identity plus the unverified name given."""

    by: Text
    reason: Text = ""


class DeliveryRequested(HumanAct):
    """A person asks for a new delivery."""

    kind: Literal["delivery_requested"] = "delivery_requested"


class RetryRequested(HumanAct):
    """A person asks to try again what failed or waits."""

    kind: Literal["retry_requested"] = "retry_requested"


class CancelRequested(HumanAct):
    """A person ends the open delivery."""

    kind: Literal["cancel_requested"] = "cancel_requested"


class IdentityConfirmed(HumanAct):
    """A person confirms that the changed identity pair is right; it replaces the pinned one.

    ``pair``: the one that the person looked at. No other is confirmed, so that a change after the
    look is not; None in events of earlier versions, which confirm nothing.
    """

    kind: Literal["identity_confirmed"] = "identity_confirmed"
    pair: IdentityPair | None = None


class IdentityForgotten(HumanAct):
    """A person forgets the pinned identity and the delivered fingerprints.

    ``pair``: what is pinned instead while there is more than that of the holder, because otherwise
    the next look would pin what no person has seen. It is the newest one that was seen; None for a
    holder of whom nothing is left, and in events of earlier versions.
    """

    kind: Literal["identity_forgotten"] = "identity_forgotten"
    pair: IdentityPair | None = None


class GenerationDropped(HumanAct):
    """A person takes one encryption generation out of the holder's history, by name."""

    kind: Literal["generation_dropped"] = "generation_dropped"
    fingerprint: Sha256Hex


class PlanRequested(HumanAct):
    """A person looks at what a delivery would do: the CA's list is read, and that is audited."""

    kind: Literal["plan_requested"] = "plan_requested"


class Paused(HumanAct):
    """A person applies the brake: on one route, or on all (``route`` None). To every partition."""

    kind: Literal["paused"] = "paused"
    route: Text | None = None


class Resumed(HumanAct):
    """A person releases a brake. To every partition."""

    kind: Literal["resumed"] = "resumed"
    route: Text | None = None


class ClockAccepted(HumanAct):
    """A person says that the wall clock, as of ``received_at``, is right. To every partition."""

    kind: Literal["clock_accepted"] = "clock_accepted"


class JournalRestored(HumanAct):
    """The journal was put back to an older state: what the holder knows may be out of date."""

    kind: Literal["journal_restored"] = "journal_restored"


class AuditCut(HumanAct):
    """A person truncated the audit log up to a record, after exporting it. To its partition.

    ``head`` is the MAC of the record ``through``, to which the next one is chained.
    """

    kind: Literal["audit_cut"] = "audit_cut"
    through: Annotated[int, Field(ge=1)]
    head: Sha256Hex


class _LetterAct(HumanAct):
    """An act on one dead letter of a partition. ``letter``: digest of its original bytes."""

    position: int
    code: Annotated[str, Field(max_length=16)]
    letter: Sha256Hex


class DeadLetterReplayed(_LetterAct):
    """A person re-queued a dead letter that can now be parsed. To its partition."""

    kind: Literal["dead_letter_replayed"] = "dead_letter_replayed"


class DeadLetterDropped(_LetterAct):
    """A person dropped a dead letter. To its partition."""

    kind: Literal["dead_letter_dropped"] = "dead_letter_dropped"


LetterAct = DeadLetterReplayed | DeadLetterDropped
"""An act on one dead letter."""


class SourcePulled(Record):
    """Events of a feed are durable up to a position. To partition 0, whose owner pulls.

    ``sender`` is the feed's upstream, ``epoch`` the owner epoch of partition 0 at the pull.
    """

    kind: Literal["source_pulled"] = "source_pulled"
    sender: Text
    position: Annotated[str, Field(min_length=1, max_length=LONGEST_POSITION)]
    epoch: Annotated[int, Field(ge=0)]


UNREMEMBERED = LetterAct | SourcePulled
"""Commands whose ids need not be remembered: done twice they change nothing."""

EventBody = Annotated[
    DeviceEnrolled
    | DeviceUnenrolled
    | DeviceChanged
    | DeviceJoined
    | DeviceLeft
    | CertificatesChanged
    | HolderRegistered
    | HolderForgotten
    | DeliveryRequested
    | RetryRequested
    | CancelRequested
    | IdentityConfirmed
    | IdentityForgotten
    | GenerationDropped
    | PlanRequested
    | Paused
    | Resumed
    | ClockAccepted
    | DeadLetterReplayed
    | DeadLetterDropped
    | AuditCut
    | JournalRestored
    | SourcePulled,
    Field(discriminator="kind"),
]


class Event(Record):
    """One event. ``id`` is deterministic: the same occurrence always has the same id.

    ``tenant`` is the UEM or CA it concerns, ``subject`` whom it is about, ``source`` who sent it
    (the label of a source, ``core`` or ``operator``), ``occurred_at`` the sender's time,
    ``received_at`` ours, ``cause`` the id of the event that led to this one.
    """

    schema_version: Literal[1] = 1
    id: str = Field(min_length=1, max_length=128)
    tenant: str = Field(min_length=1, max_length=128)
    subject: SubjectKey
    source: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    occurred_at: Millis | None = None
    received_at: Millis
    cause: str | None = None
    body: EventBody


def event_id(*parts: str) -> str:
    """A deterministic id from what identifies an occurrence: 40 hexadecimal digits."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:40]
