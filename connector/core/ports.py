"""What the core needs from the outside, as protocols. Adapters implement them.

Every method may raise the three families of :mod:`connector.core.errors`; nothing else leaves an
adapter. A fault of the whole upstream carries ``Scope.UPSTREAM``. Looks may be repeated freely;
acts (``begin``, ``deliver``, ``push``) may not, except where said.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import ClassVar, Protocol, Self

from pydantic import BaseModel, Field

from connector.core.key_material import KeyMaterial
from connector.core.model import (
    DeviceEvidence,
    DeviceFacts,
    Generation,
    HolderFacts,
    Millis,
    OpenRequest,
    PersonRecord,
    Record,
    RequestState,
    Sha256Hex,
    Slot,
)
from connector.core.reach import Reach


class RequestPermits(Protocol):
    """A plug-in asks before each request; :class:`connector.upstream.Upstream` does it for one."""

    async def take(self) -> None:
        """Wait until one more request may be sent."""
        ...

    def hold(self, seconds: float) -> None:
        """Send nothing for ``seconds``, because the upstream asked to slow down."""
        ...

    def answered(self, server_time: Millis | None) -> None:
        """Called with the ``Date`` of each answer that has one."""
        ...

    def left(self, requests: int, of: int | None = None, seconds: float | None = None) -> None:
        """Note how many requests are left ``of`` a budget, and for how many seconds, if known."""
        ...


class EscrowCapabilities(Record):
    """What a backend can do; declared data, never a silent skip.

    ``requests``: recoveries are asked for first (``begin``) and granted later, perhaps by people.
    ``one_at_a_time``: only one generation of a person can be recovered at once.
    ``reissues``: the CA may answer with a new certificate around the recovered key.
    ``single_use``: what was fetched cannot be fetched again.
    """

    requests: bool = True
    one_at_a_time: bool = False
    reissues: bool = False
    single_use: bool = False


class EscrowedCertificate(Record):
    """One listed generation together with its public certificates, DER, issuer next to leaf."""

    generation: Generation
    certificate: bytes
    chain: tuple[bytes, ...] = ()


class EscrowListing(Record):
    """All that the CA escrows for one person."""

    person: PersonRecord
    certificates: tuple[EscrowedCertificate, ...] = ()


class Recovery(Record):
    """A recovery to be asked for. ``id`` is ours; the same id never asks twice."""

    id: str = Field(pattern=r"^[0-9a-f-]{8,64}$")
    person: str
    fingerprint: Sha256Hex
    reason: str


class EscrowBackend(Protocol):
    """A CA or key-recovery authority. Used as ``async with backend:``; closing twice is harmless.

    Parent and hand-over child both construct it with the upstream's name, its settings model and
    the permits for its requests; only the child calls ``fetch``.
    """

    name: ClassVar[str]
    settings_model: ClassVar[type[BaseModel]]
    capabilities: ClassVar[EscrowCapabilities]

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *_: object) -> None: ...

    async def probe(self) -> None:
        """Send a few small requests about no user; raises if the CA does not answer. Look."""
        ...

    def reach(self) -> Reach:
        """What this opens in a hand-over; the sandbox around it is built from that."""
        ...

    async def list(self, person: str) -> EscrowListing:
        """All generations of ``person``, exactly matched. Look.

        Raises:
            Permanent: ``CA-404`` when the CA does not know the person.
        """
        ...

    async def find_open(self, person: str) -> Sequence[OpenRequest]:
        """The recovery requests of ``person`` that are not ended. Look."""
        ...

    async def begin(self, recovery: Recovery) -> RequestState:
        """Ask for one generation. Act; the same ``recovery.id`` may be sent again."""
        ...

    async def look(self, request_id: str) -> RequestState:
        """How a request stands; ``GONE`` when the CA does not know it. Look."""
        ...

    async def fetch(
        self, request_id: str, fingerprint: Sha256Hex, password: KeyMaterial
    ) -> KeyMaterial:
        """The PKCS#12 of a granted request, protected with ``password``. Only in a hand-over.

        Raises:
            Transient: ``CA-409`` when it is not granted (any more).
        """
        ...

    async def clean_up(self, request_id: str) -> None:
        """End a request that is not needed any more. Repeating it is harmless."""
        ...


class Bundle:
    """One PKCS#12 on its way to a target: slot, fingerprint, bytes and password."""

    __slots__ = ("fingerprint", "password", "pkcs12", "slot")

    def __init__(
        self, slot: Slot, fingerprint: Sha256Hex, pkcs12: KeyMaterial, password: KeyMaterial
    ) -> None:
        """Take both secrets; the caller wipes them after the delivery."""
        self.slot = slot
        self.fingerprint = fingerprint
        self.pkcs12 = pkcs12
        self.password = password

    def wipe(self) -> None:
        """Overwrite both secrets."""
        self.pkcs12.wipe()
        self.password.wipe()

    def __repr__(self) -> str:
        """Slot and fingerprint only."""
        return f"<Bundle {self.slot.value} {self.fingerprint[:16]}>"


class ArchivedMode(StrEnum):
    """How a target sends archived generations."""

    LIST_FIELD = "list-field"
    BUNDLE = "bundle"
    OFF = "off"


class TargetCapabilities(Record):
    """What a target can do; declared data.

    ``key_types`` and ``expired``: which generations it takes. One that it does not take is named
    before any key is fetched (KEY-112).
    """

    push: bool = True
    reads_copy_back: bool = False
    key_types: frozenset[str] = frozenset({"rsa", "ec"})
    expired: bool = True


class Delivered(Record):
    """The target accepted a set. ``server_time`` is its ``Date`` header, if it sent one."""

    server_time: Millis | None = None


class InstallQuestion(Record):
    """What ``look_installed`` is asked: did this certificate arrive on these devices.

    ``profiles`` maps a platform (lower case, ``*`` for any) to the id of the mail profile;
    ``archived`` are the earlier generations of the set; ``since`` is the upload's time on the
    target's clock, or the first of its clock that was seen after it; None where it is not known, so
    that nothing is newer for certain.
    """

    holder: str
    devices: tuple[str, ...]
    profiles: dict[str, str]
    platforms: dict[str, str]
    current: Generation
    archived: tuple[Generation, ...] = ()
    since: Millis | None


class Evidence(Record):
    """Answer of ``look_installed``; ``server_time`` is the target's clock at the look."""

    devices: tuple[DeviceEvidence, ...]
    server_time: Millis | None = None


class GoneLook(Record):
    """Answer of ``look_gone``: the target's clock, and what it says of the copy if it can tell."""

    server_time: Millis | None = None
    copy_present: bool | None = None


class Target(Protocol):
    """A UEM or MDM. Used as ``async with target:``; closing twice is harmless.

    It is constructed like an :class:`EscrowBackend`.
    """

    name: ClassVar[str]
    settings_model: ClassVar[type[BaseModel]]
    capabilities: ClassVar[TargetCapabilities]

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *_: object) -> None: ...

    async def probe(self) -> None:
        """Send a few small requests about no user; raises if one is not answered. Look."""
        ...

    def reach(self) -> Reach:
        """What this opens in a hand-over; the sandbox around it is built from that."""
        ...

    async def look_up_device(self, device: str) -> DeviceFacts | None:
        """A device by its id, and its user; None when the target does not know it. Look."""
        ...

    async def look_up(self, holder: str, profiles: dict[str, str]) -> HolderFacts | None:
        """A user by id with *all* their devices and our profile's status on each. Look."""
        ...

    async def find_users(self, text: str) -> tuple[str, ...]:
        """Ids of the users whose user name, mail or device serial is exactly this, in any case.

        Look; used only for searches by operators.
        """
        ...

    async def deliver(
        self, holder: str, bundles: Sequence[Bundle], sending: Callable[[], None]
    ) -> Delivered:
        """Replace the user's whole set. Act; only in a hand-over.

        ``sending`` is called right before the first byte of the upload may leave. A failure after
        it, unless the target clearly refused, is ``Transient``: ``UEM-010`` when the target itself
        answered that it failed, so that nothing is in transit any more, else ``UEM-002``.
        """
        ...

    async def push(self, device: str, profile: str) -> None:
        """Send our profile to a device once more. Act; repeating it is harmless."""
        ...

    async def look_installed(self, question: InstallQuestion) -> Evidence:
        """What the target knows of profile and certificate on each device. Look."""
        ...

    async def look_gone(self, holder: str) -> GoneLook:
        """What the target says of the copy, and its clock. Look."""
        ...


class Clock(Protocol):
    """Two clocks: the wall clock, which may jump, and a monotonic one."""

    def now(self) -> Millis:
        """Wall clock, milliseconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed moment of this machine."""
        ...
