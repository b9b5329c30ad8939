"""What Acme's news mean to us; the same for what it posts and for what is pulled."""

from acme_connector.interface import Notice
from connector.core.events import (
    CertificatesChanged,
    DeviceEnrolled,
    DeviceUnenrolled,
    Event,
    event_id,
)
from connector.core.model import Millis, SubjectKind, subject_key

LABEL = "acme"
MEANINGS: dict[str, tuple[SubjectKind, DeviceEnrolled | DeviceUnenrolled | CertificatesChanged]] = {
    "device.enrolled": (SubjectKind.DEVICE, DeviceEnrolled()),
    "device.left": (SubjectKind.DEVICE, DeviceUnenrolled()),
    "certificates.changed": (SubjectKind.PERSON, CertificatesChanged()),
}
"""Everything else that Acme tells means nothing to us."""


def event_of(tenant: str, notice: Notice, now: Millis) -> Event | None:
    """The event of a notice. Its id is made of what happened, not of when or how it came."""
    if notice.event not in MEANINGS:
        return None
    kind, meaning = MEANINGS[notice.event]
    return Event(
        id=event_id(tenant, kind, notice.about, meaning.kind, str(notice.at)),
        tenant=tenant,
        subject=subject_key(tenant, kind, notice.about),
        source=LABEL,
        occurred_at=min(notice.at, now),  # a sender's clock may be ahead of ours
        received_at=now,
        body=meaning,
    )
