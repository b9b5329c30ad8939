"""The steps of one hand-over: list again, fetch, open, check, package, deliver.

Runs in a process that was made for it. It delivers exactly the generations that were approved, or
answers ``changed``. Keys exist one generation after the other until the upload; passwords are made
for one fetch or one bundle and erased with it.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from connector.certificates.listing import Standard, judged
from connector.core.errors import ConnectorError, Fault, Permanent, Scope, Transient
from connector.core.handover import (
    Accepted,
    BundleReceipt,
    Changed,
    HandoverJob,
    HandoverOutcome,
    NotSent,
    Refused,
    Unknown,
)
from connector.core.key_material import KeyMaterial
from connector.core.model import OpenRequest, RequestState, SetEntry, Sha256Hex, Slot, set_digest
from connector.core.ports import Bundle, Delivered, EscrowBackend, EscrowListing, Target
from connector.core.reach import Protection
from connector.core.selection import select
from connector.keys.handover.wire import Mark
from connector.keys.pkcs12.read import Expected, Identity, open_bundle
from connector.keys.pkcs12.write import Profile, new_password, package

UNANSWERED, FAILED = "UEM-002", "UEM-010"
"""Faults of an upload after which the set may be there. After the first, it may still arrive."""
OUR_OWN = "HND-"
"""Area of the faults that are no answer of the target: time is up, a plug-in's mistake."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0
LEAST_SECONDS = 5.0
"""An upload is not begun again with less time than this."""
LOGIN_PAUSE = 5.0
"""Before the login is tried once more with the secrets of then: they may just be changing."""

T = TypeVar("T")


class Surroundings(Protocol):
    """What the steps need from the process that they run in."""

    def mark(self, mark: Mark) -> None:
        """Report the next step to the service, before it is done."""

    def crash_point(self, name: str, /) -> None:
        """A place at which tests end the process."""

    def token_bytes(self, size: int, /) -> bytes:
        """Random bytes for passwords."""

    def monotonic(self) -> float:
        """Seconds on a clock that only goes forward."""

    def seconds_left(self) -> float:
        """Seconds until the process has to answer."""

    async def pause(self, seconds: float, /) -> None:
        """Sleep for ``seconds``."""


@dataclass
class HandOverSteps:
    """One hand-over in progress.

    ``protection`` goes into the receipt. ``disclosed`` counts the keys that left escrow,
    ``sent`` tells whether a byte of the upload may have left, ``doubtful`` whether the target may
    have taken a set without saying so, ``unanswered`` whether an upload had no answer.
    """

    job: HandoverJob
    around: Surroundings
    protection: Protection
    disclosed: int = 0
    sent: bool = False
    doubtful: bool = False
    unanswered: bool = False
    login_refused: bool = False
    seconds: dict[str, float] = field(default_factory=dict)

    async def carry_out(self, escrow: EscrowBackend, target: Target) -> HandoverOutcome:
        """Do all steps; a failure becomes part of the outcome."""
        try:
            return await self._carried_out(escrow, target)
        except ConnectorError as error:
            return self.failed(error.fault())

    def failed(self, fault: Fault) -> HandoverOutcome:
        """The outcome of a fault at the present moment."""
        common: dict[str, Any] = {
            "fault": fault,
            "disclosed": self.disclosed,
            **self.protection._asdict(),
        }
        if not self.sent:
            return NotSent(**common)
        ours = fault.code.startswith(OUR_OWN)  # perhaps in the middle of an upload
        if self.doubtful or ours:
            answered = not (self.unanswered or ours)
            return Unknown(**common, answered=answered)
        return Refused(**common)

    async def _carried_out(self, escrow: EscrowBackend, target: Target) -> HandoverOutcome:
        self.around.crash_point("handover.started")
        listed = await self._timed("list", escrow.list(self.job.person))
        standard = Standard(self.job.issuers_file, target.capabilities, self.job.now)
        listing = judged(listed, standard)
        self.around.crash_point("handover.listed")
        if not self._is_approved(listing):
            return Changed()
        bundles = await self._timed("obtain", self._bundles(escrow, listing))
        receipts = tuple(_receipt(bundle) for bundle in bundles)
        once = escrow.capabilities.single_use or self._is_single_use(listing)
        try:
            delivered = await self._timed("deliver", self._delivered(target, bundles, once=once))
        finally:
            for bundle in bundles:
                bundle.wipe()
        self.around.crash_point("handover.sent")
        return Accepted(
            digest=set_digest(self.job.entries),
            bundles=receipts,
            server_time=delivered.server_time,
            memory_locked=self.protection.memory_locked,
            sandbox=self.protection.sandbox,
            seconds=self.seconds,
        )

    def _is_approved(self, listing: EscrowListing) -> bool:
        """Whether the CA's present list leads to exactly the approved set."""
        try:
            selection = select(
                (one.generation for one in listing.certificates),
                person=listing.person,
                address=self.job.address,
                rules=self.job.rules,
                now=self.job.now,
            )
        except ConnectorError:
            return False
        approved = self.job.entries
        return set(selection.entries) == set(approved) and selection.digest == self.job.digest

    async def _bundles(self, escrow: EscrowBackend, listing: EscrowListing) -> list[Bundle]:
        """Our own bundles, one for each entry. A key that goes to two slots is fetched once."""
        requests = {one.fingerprint: one.id for one in self.job.requests if _is_granted(one)}
        entries: dict[Sha256Hex, list[SetEntry]] = {}
        for entry in self.job.entries:
            entries.setdefault(entry.fingerprint, []).append(entry)
        if not entries.keys() <= requests.keys():
            raise Transient("CA-409", "fetching keys: a recovery request is not granted")
        bundles = []
        for fingerprint, places in entries.items():
            identity = await self._identity(
                escrow, requests[fingerprint], _expected(listing, fingerprint, places)
            )
            bundles += [self._packaged(identity, place) for place in places]
            self.around.crash_point("handover.packaged")
        return bundles

    async def _identity(self, escrow: EscrowBackend, request: str, expected: Expected) -> Identity:
        with new_password(self.around.token_bytes) as password:
            self.around.mark(Mark.FETCHING)
            self.disclosed += 1
            with await escrow.fetch(request, expected.fingerprint, password) as bundle:
                self.around.crash_point("handover.fetched")
                identity = _opened(bundle, password, expected)
        self.around.crash_point("handover.checked")
        return identity

    def _packaged(self, identity: Identity, entry: SetEntry) -> Bundle:
        password = new_password(self.around.token_bytes)
        packaged = package(
            identity, Profile(self.job.pkcs12_profile), password, self.around.token_bytes
        )
        return Bundle(entry.slot, entry.fingerprint, packaged.pkcs12, packaged.password)

    def _is_single_use(self, listing: EscrowListing) -> bool:
        """Whether a key of the set cannot be fetched again with the same request."""
        approved = {entry.fingerprint for entry in self.job.entries}
        listed = (one.generation for one in listing.certificates)
        return any(one.single_use and one.fingerprint in approved for one in listed)

    async def _delivered(
        self, target: Target, bundles: Sequence[Bundle], *, once: bool
    ) -> Delivered:
        """Deliver; after an answered fault the same set is sent again while there is time.

        Without an answer the set may still arrive, and is only sent again if its keys can be
        fetched only once.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                return await target.deliver(self.job.holder, bundles, self._sending)
            except ConnectorError as fault:
                self.doubtful |= fault.code in {UNANSWERED, FAILED}
                self.unanswered |= fault.code == UNANSWERED
                wait = self._wait(fault, pause, once=once)
                if wait is None:
                    raise
            if not once:
                self.around.mark(Mark.WAITING)
            await self.around.pause(wait)
            if self.login_refused:
                await _log_in_again(target)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _wait(self, fault: ConnectorError, pause: float, *, once: bool) -> float | None:
        """Seconds until the set may be sent again; None when it may not be."""
        if isinstance(fault, Permanent) and fault.scope is Scope.UPSTREAM:
            again, pause = not self.login_refused, LOGIN_PAUSE
            self.login_refused = True
        else:
            again = isinstance(fault, Transient) and (once or fault.code != UNANSWERED)
        wait = max(pause, fault.retry_after or 0.0)
        return wait if again and wait + LEAST_SECONDS <= self.around.seconds_left() else None

    def _sending(self) -> None:
        self.around.mark(Mark.SENDING)
        self.sent = True
        self.around.crash_point("handover.sending")

    async def _timed(self, name: str, step: Awaitable[T]) -> T:
        before = self.around.monotonic()
        result = await step
        self.seconds[name] = round(self.around.monotonic() - before, 6)
        return result


async def _log_in_again(target: Target) -> None:
    await target.__aexit__(None, None, None)
    await target.__aenter__()


def _opened(bundle: KeyMaterial, password: KeyMaterial, expected: Expected) -> Identity:
    """The key in a bundle; a fault names the generation, so that a person can drop it."""
    try:
        return open_bundle(bundle, password, expected)
    except (Permanent, Transient) as fault:
        name = f"generation {expected.fingerprint[:16]}"
        raise type(fault)(fault.code, f"{name}: {fault.detail}") from None


def _is_granted(request: OpenRequest) -> bool:
    return request.state is RequestState.GRANTED


def _expected(listing: EscrowListing, fingerprint: Sha256Hex, places: list[SetEntry]) -> Expected:
    listed = next(one for one in listing.certificates if one.generation.fingerprint == fingerprint)
    return Expected(
        fingerprint=fingerprint,
        public_key=listed.generation.public_key,
        certificate=listed.certificate,
        archived=all(place.slot is Slot.ARCHIVED for place in places),
        siblings=frozenset(one.generation.public_key for one in listing.certificates),
    )


def _receipt(bundle: Bundle) -> BundleReceipt:
    return BundleReceipt(slot=bundle.slot, fingerprint=bundle.fingerprint, size=len(bundle.pkcs12))
