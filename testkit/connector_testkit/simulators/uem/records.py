"""The things that a UEM tenant holds: users, their certificate sets, devices, profiles on them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

SlotName = Literal["signing", "encryption", "archived"]
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class ProfileStatus(IntEnum):
    """Status numbers of a profile on a device, as field scripts read them."""

    ASSIGNED = 0
    PENDING = 1
    SENT = 2
    INSTALLED = 3
    FAILED = 6


@dataclass(frozen=True)
class Pair:
    """A certificate with its private key, checked to belong together, in one slot of a set."""

    slot: SlotName
    certificate: x509.Certificate
    key: PrivateKey = field(repr=False)
    fingerprint: str
    public_key: str

    def facts(self) -> dict[str, Any]:
        """What may be shown: slot and the SHA-256 of certificate and public key, hexadecimal."""
        return {
            "slot": self.slot,
            "fingerprint": self.fingerprint,
            "public_key": self.public_key,
            "serial": f"{self.certificate.serial_number:x}",
            "subject": self.certificate.subject.rfc4514_string(),
        }


@dataclass(frozen=True)
class CertificateSet:
    """All that one upload carried. An unopened one (``check_uploads``) holds sizes but no pairs."""

    upload: int
    uploaded_at: datetime
    pairs: tuple[Pair, ...]
    sizes: tuple[int, ...]

    def facts(self) -> dict[str, Any]:
        """What may be shown of it."""
        return {
            "upload": self.upload,
            "uploaded_at": self.uploaded_at.isoformat(),
            "slots": [pair.facts() for pair in self.pairs],
            "sizes": list(self.sizes),
        }


@dataclass
class User:
    """An enrolment user. ``attributes`` are members of the API's object that a test set itself."""

    id: int
    uuid: str
    username: str
    email: str = ""
    external_id: str = ""
    group: str = ""
    first_name: str = ""
    last_name: str = ""
    active: bool = True
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass
class ProfileOnDevice:
    """A profile that is assigned to a device. ``push`` numbers its pushes, newest wins."""

    id: int
    name: str = "Mail S/MIME"
    version: int = 6
    installed_version: int = 0
    status: ProfileStatus = ProfileStatus.PENDING
    push: int = 0
    changed_at: datetime | None = None


@dataclass(frozen=True)
class SampledCertificate:
    """A certificate as the device reported it."""

    pair: Pair
    first: datetime
    last: datetime


@dataclass(frozen=True)
class LogLine:
    """An entry of a device's event log."""

    id: int
    at: datetime
    event: str
    facts: dict[str, str]


@dataclass
class Device:
    """A device. ``held`` is the set that the UEM pushed last; it outlives the UEM's own copy."""

    id: int
    uuid: str
    user: int
    serial: str
    udid: str
    name: str
    platform: str
    system: str
    enrolled_at: datetime
    last_seen: datetime
    group: str = ""
    status: str = "Enrolled"
    compliance: str = "Compliant"
    compromised: bool = False
    online: bool = True
    install_outcome: Literal["installed", "failed", "never"] = "installed"
    profiles: dict[int, ProfileOnDevice] = field(default_factory=dict)
    held: CertificateSet | None = None
    sample: list[SampledCertificate] = field(default_factory=list)
    log: list[LogLine] = field(default_factory=list)

    @property
    def enrolled(self) -> bool:
        """Whether it is under management, also with a wipe pending."""
        return self.status != "Unenrolled"
