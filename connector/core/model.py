"""The basic records: subjects, certificate generations, sets, devices, users.

Times are ``Millis``: whole milliseconds since 1970-01-01T00:00:00Z. Fingerprints and digests are
lower-case hexadecimal SHA-256.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, NamedTuple, Self
from urllib.parse import quote, unquote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Millis = int
SECOND: Millis = 1000
HOUR: Millis = 3600 * SECOND
DAY: Millis = 24 * HOUR
LONGEST_TEXT = 512
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

Sha256Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
LONGEST_KEY = 4096
"""Characters of a key: a tenant and 256 characters of an id, each at most twelve when encoded."""
SubjectKey = Annotated[str, Field(min_length=5, max_length=LONGEST_KEY)]


def millis_of(moment: datetime) -> Millis:
    """A moment with a zone in milliseconds since 1970, fractions cut."""
    return (moment - _EPOCH) // _MILLISECOND


class Record(BaseModel):
    """A frozen record that refuses members it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A shallow copy with other members, which are not checked: every change of a state.

        A record has nothing private, keeps what it has extra, and is not copied deeply; the
        library's own way, which asks for all of that, takes more than twice as long.
        """
        if deep:
            return super().model_copy(update=update, deep=True)
        changes, give = update or {}, object.__setattr__  # a record is frozen
        made = object.__new__(type(self))
        give(made, "__dict__", {**self.__dict__, **changes})
        give(made, "__pydantic_fields_set__", self.__pydantic_fields_set__.union(changes))
        give(made, "__pydantic_extra__", self.__pydantic_extra__)
        give(made, "__pydantic_private__", None)
        return made


class SubjectKind(StrEnum):
    """The units of order. Events of one subject are handled one after another."""

    DEVICE = "device"
    HOLDER = "user"
    PERSON = "person"
    PARTITION = "partition"


_FOR_PARTITION = f"/{SubjectKind.PARTITION}/"


class Subject(NamedTuple):
    """The parts of a subject key."""

    tenant: str
    kind: SubjectKind
    id: str


def subject_key(tenant: str, kind: SubjectKind, identifier: str) -> SubjectKey:
    """``tenant/kind/id``, each part percent-encoded so that no id can be taken for another key."""
    return f"{_encoded(tenant, '')}/{kind}/{_encoded(identifier, '@')}"


def _encoded(text: str, safe: str) -> str:
    """Percent-encoded. Most texts need no encoding, and checking that is cheaper."""
    return text if text.isascii() and text.isalnum() else quote(text, safe=safe)


@lru_cache(maxsize=4096)
def parse_subject(key: SubjectKey) -> Subject:
    """The parts of a key made by :func:`subject_key`.

    Raises:
        ValueError: when ``key`` is not such a key.
    """
    tenant, kind, identifier = key.split("/")
    return Subject(unquote(tenant), SubjectKind(kind), unquote(identifier))


def is_partition(key: SubjectKey) -> bool:
    """Whether a subject is a partition itself: an event for it is a command to its owner."""
    return _FOR_PARTITION in key


def partition_of(key: SubjectKey, partitions: int) -> int:
    """The journal partition of a subject, stable for the life of a journal.

    The key of a partition itself (for a brake) belongs to that partition.
    """
    _, _, number = key.partition(_FOR_PARTITION)
    if number:
        return int(number)
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest) % partitions


class Usage(StrEnum):
    """What a certificate's key usage allows (RFC 8551 section 4.4.2, RFC 5280 section 4.2.1.3)."""

    SIGNING = "signing"
    ENCRYPTION = "encryption"
    BOTH = "both"


class Slot(StrEnum):
    """The places of one upload."""

    SIGNING = "signing"
    ENCRYPTION = "encryption"
    ARCHIVED = "archived"


class Objection(Record):
    """Why a generation cannot be sent, as its listing shows: a code of the catalogue, and text."""

    code: str = Field(pattern=r"^[A-Z0-9]{2,4}-[0-9]{3}$")
    why: str


class Generation(Record):
    """One certificate of a holder as the CA lists it. Public data only.

    ``public_key`` is the SHA-256 of the DER SubjectPublicKeyInfo; ``issuer`` an RFC 4514 string;
    ``serial`` hexadecimal without leading zeros; ``addresses`` all mail addresses in it, in the
    form of :func:`connector.core.addresses.canonical_address`; ``key_type`` is ``rsa``, ``ec`` or
    ``other``; ``key_size`` in bits (RSA modulus or EC curve size). ``objection``: why it cannot be
    sent at all; ``only_archived``: why it cannot be a current one; ``chain_unchecked``: why its
    chain of issuers was not checked, empty when it was.
    """

    fingerprint: Sha256Hex
    public_key: Sha256Hex
    usage: Usage
    issuer: str
    serial: str
    subject: str = ""
    not_before: Millis
    not_after: Millis
    addresses: tuple[str, ...] = ()
    key_type: str = "rsa"
    key_size: int = 2048
    revoked_at: Millis | None = None
    revocation_reason: str | None = None
    recoverable: bool = True
    single_use: bool = False
    objection: Objection | None = None
    only_archived: str = ""
    chain_unchecked: str = ""

    @property
    def encrypts(self) -> bool:
        """Whether mail can be encrypted to it."""
        return self.usage in {Usage.ENCRYPTION, Usage.BOTH}

    @property
    def signs(self) -> bool:
        """Whether mail can be signed with it."""
        return self.usage in {Usage.SIGNING, Usage.BOTH}


class SetEntry(Record):
    """One place of a set: which generation goes where. Holds no key."""

    slot: Slot
    fingerprint: Sha256Hex
    public_key: Sha256Hex


def set_digest(entries: Iterable[SetEntry]) -> Sha256Hex:
    """The name of a set outside a hand-over: a digest over (slot, certificate, public key)."""
    lines = sorted(
        f"{entry.slot.value} {entry.fingerprint} {entry.public_key}" for entry in entries
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


class IdentityPair(Record):
    """The identity of a UEM user at the CA: the person's name there, and a second attribute."""

    person: str = Field(min_length=1, max_length=256)
    agreeing: str = Field(min_length=1, max_length=256)


class PersonRecord(Record):
    """The CA's record of a person: proven mail addresses (in canonical form) and attributes.

    ``attributes`` are by lower-case name: names of attributes are the same in capitals.
    """

    person: str
    addresses: tuple[str, ...] = ()
    attributes: dict[str, str] = Field(default_factory=dict)


class RequestState(StrEnum):
    """The life of one recovery request at the CA."""

    PENDING = "pending"
    GRANTED = "granted"
    DENIED = "denied"
    EXPIRED = "expired"
    FETCHED = "fetched"
    GONE = "gone"


class OpenRequest(Record):
    """A recovery request that the CA knows, for one generation. ``id`` is ours."""

    id: str
    fingerprint: Sha256Hex
    state: RequestState


def _cut(text: str) -> str:
    return text[:LONGEST_TEXT]


UpstreamId = Annotated[str, Field(min_length=1, max_length=128)]
Described = Annotated[str, AfterValidator(_cut)]
"""What an upstream says in words; longer text is cut, so that an event can carry it."""


class ProfileStatus(StrEnum):
    """What the UEM says of our mail profile on one device."""

    NONE = "none"
    PENDING = "pending"
    INSTALLED = "installed"
    ERROR = "error"
    UNKNOWN = "unknown"


class DeviceFacts(Record):
    """A device as the UEM describes it. ``id`` is the UEM's numeric id as text.

    ``on_the_way``: neither enrolled nor ended, so that it may yet be shown as enrolled.
    ``enrolled_on``: when it enrolled, on the UEM's clock.
    """

    id: UpstreamId
    holder: UpstreamId | None
    enrolled: bool
    on_the_way: bool = False
    enrolled_on: Millis | None = None
    platform: Described = ""
    serial: Described = ""
    friendly_name: Described = ""
    compromised: bool = False
    compliant: bool | None = None
    last_seen: Millis | None = None
    profile: ProfileStatus = ProfileStatus.UNKNOWN


class HolderFacts(Record):
    """A UEM user and all their devices. ``attributes`` are the user's, by lower-case name."""

    id: UpstreamId
    active: bool = True
    name: str = ""
    mail: str = ""
    group: str = ""
    attributes: dict[str, str] = Field(default_factory=dict)
    devices: tuple[DeviceFacts, ...] = ()


class DeviceEvidence(Record):
    """What one look at a device showed of our profile and certificate.

    All times are on the UEM's clock. ``certificate_seen_at``: when a sample from the device listed
    the current certificate. ``install_confirmed_at``: newest confirmed install of our profile.
    ``archived_listed``: which earlier generations the device's own list of then shows; None where
    there is no such list.
    """

    device: str
    enrolled: bool = True
    profile: ProfileStatus = ProfileStatus.UNKNOWN
    certificate_seen_at: Millis | None = None
    install_confirmed_at: Millis | None = None
    archived_listed: frozenset[Sha256Hex] | None = None
    last_seen: Millis | None = None
