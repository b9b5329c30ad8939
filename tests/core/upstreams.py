"""A small model of UEM and CA: what is true there, also where the connector does not know it."""

import hashlib
from dataclasses import dataclass, field
from typing import NamedTuple

from connector.core.model import (
    DAY,
    HOUR,
    DeviceEvidence,
    DeviceFacts,
    Generation,
    HolderFacts,
    Millis,
    OpenRequest,
    PersonRecord,
    ProfileStatus,
    RequestState,
    Usage,
)

START: Millis = 1_800_000_000_000
PERSON_OF = {"1": "user1", "2": "user2", "3": "user1"}
RETENTION: Millis = 6 * HOUR


def name(*parts: object) -> str:
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()


@dataclass
class Phone:
    """A device as it really is. ``installed``: the set that it took last, and when.

    ``took``: all sets that it took since it was enrolled. Until ``shown_from`` the REST
    interface shows ``shown_before``: another device, or none.
    """

    user: str = "1"
    enrolled: bool = False
    online: bool = True
    compromised: bool = False
    last_seen: Millis = 0
    installed: str | None = None
    installed_at: Millis = 0
    took: set[str] = field(default_factory=set)
    enrolled_on: Millis | None = None
    on_the_way: bool = False
    deleted: bool = False
    shown_from: Millis = 0
    shown_before: "Phone | None" = None


class Upload(NamedTuple):
    """One set that the UEM took: for whom, which, when on its own clock, and when in truth."""

    user: str
    digest: str
    at: Millis
    real: Millis


@dataclass
class Uem:
    """Users, devices, copies. ``now`` is its own clock. ``ledger`` lists every upload it took.

    ``left_out``: devices that a search does not show although they are there. ``listed``: earlier
    generations in the devices' own lists, None where they have none.
    """

    now: Millis = START
    phones: dict[str, Phone] = field(default_factory=dict)
    mails: dict[str, str] = field(default_factory=dict)
    copies: dict[str, tuple[str, Millis]] = field(default_factory=dict)
    currents: dict[str, str] = field(default_factory=dict)
    ledger: list[Upload] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    listed: frozenset[str] | None = None
    inactive: set[str] = field(default_factory=set)
    ever_installed: set[tuple[str, str]] = field(default_factory=set)

    def upload(self, user: str, digest: str, current: str, real: Millis) -> None:
        """Take a set. ``real`` is the true time, which this clock may differ from."""
        self.copies[user] = (digest, self.now)
        self.currents[digest] = current
        self.ledger.append(Upload(user, digest, self.now, real))
        self.deliver()

    def set_clock(self, now: Millis) -> None:
        """A clock that steps back is followed by new samples from the devices."""
        self.now = now
        for phone in self.phones.values():
            phone.installed_at = min(phone.installed_at, now + 1000)
            phone.last_seen = min(phone.last_seen, now)

    def deliver(self) -> None:
        """Devices that are there take what is there for them."""
        for key, phone in self.phones.items():
            if not phone.online or not phone.enrolled:
                continue
            phone.last_seen = self.now
            digest, at = self.copies.get(phone.user, ("", 0))
            fresh = phone.installed != digest or phone.installed_at < at
            if digest and fresh and self.now < at + RETENTION:
                phone.installed, phone.installed_at = digest, self.now + 1000
                self.ever_installed.add((key, digest))
                phone.took.add(digest)

    def push(self, key: str) -> None:
        """The device installs the profile once more, with what is there now."""
        phone = self.phones[key]
        if phone.online and phone.enrolled and phone.installed:
            phone.installed_at = self.now + 1000

    def device(self, key: str) -> DeviceFacts | None:
        phone = self.phones.get(key)
        while phone is not None and self.now < phone.shown_from:
            phone = phone.shown_before
        if phone is None or phone.deleted:
            return None
        return DeviceFacts(
            id=key,
            holder=phone.user,
            enrolled=phone.enrolled,
            on_the_way=phone.on_the_way,
            enrolled_on=phone.enrolled_on,
            platform="apple",
            compromised=phone.compromised,
            last_seen=phone.last_seen,
            profile=ProfileStatus.INSTALLED if phone.installed else ProfileStatus.PENDING,
        )

    def user(self, user: str) -> HolderFacts:
        shown = [self.device(key) for key in self.phones if key not in self.left_out]
        facts = [one for one in shown if one is not None and one.holder == user]
        mail = self.mails.get(user, f"{PERSON_OF[user]}@example.com")
        devices = tuple(one for one in facts if one.enrolled)
        return HolderFacts(
            id=user,
            name=PERSON_OF[user],
            mail=mail,
            devices=devices,
            active=user not in self.inactive,
        )

    def evidence(self, key: str, user: str, current: str) -> DeviceEvidence:
        """``current``: the certificate that is looked for in the device's own list."""
        phone, shown = self.phones.get(key), self.device(key)
        if phone is None:
            return DeviceEvidence(device=key, enrolled=False)
        listed = self.currents.get(phone.installed or "") == current
        return DeviceEvidence(
            device=key,
            enrolled=shown is not None and shown.enrolled and shown.holder == user,
            profile=ProfileStatus.INSTALLED if phone.installed else ProfileStatus.PENDING,
            certificate_seen_at=phone.installed_at if listed else None,
            archived_listed=self.listed,
            last_seen=phone.last_seen,
        )


@dataclass
class Ca:
    """Persons, their generations, and what was asked for. ``asks_people``: nothing is granted."""

    listed: dict[str, list[Generation]] = field(default_factory=dict)
    requests: dict[str, tuple[str, OpenRequest]] = field(default_factory=dict)
    asks_people: bool = False

    def issue(self, person: str) -> None:
        mine = self.listed.setdefault(person, [])
        number = len(mine)
        for usage in (Usage.ENCRYPTION, Usage.SIGNING):
            mine.append(_generation(person, number, usage))

    def revoke(self, person: str, now: Millis) -> None:
        mine = self.listed[person]
        mine[-2] = mine[-2].model_copy(update={"revoked_at": now})

    def person(self, person: str) -> PersonRecord:
        return PersonRecord(person=person, addresses=(f"{person}@example.com",))

    def open(self, person: str) -> tuple[OpenRequest, ...]:
        return tuple(request for owner, request in self.requests.values() if owner == person)

    def begin(self, person: str, request: OpenRequest) -> OpenRequest:
        state = RequestState.PENDING if self.asks_people else RequestState.GRANTED
        answer = request.model_copy(update={"state": state})
        self.requests[request.id] = (person, answer)
        return answer

    def look(self, request: OpenRequest) -> OpenRequest:
        known = self.requests.get(request.id)
        return (
            request.model_copy(update={"state": RequestState.GONE}) if known is None else known[1]
        )

    def fetched(self, fingerprints: set[str], person: str) -> None:
        for key, (owner, request) in list(self.requests.items()):
            if owner == person and request.fingerprint in fingerprints:
                del self.requests[key]

    def decide(self, state: RequestState) -> None:
        """People decide on everything that waits."""
        for key, (owner, request) in list(self.requests.items()):
            if request.state is RequestState.PENDING:
                self.requests[key] = (owner, request.model_copy(update={"state": state}))


def _generation(person: str, number: int, usage: Usage) -> Generation:
    return Generation(
        fingerprint=name(person, number, usage, "certificate"),
        public_key=name(person, number, usage, "key"),
        usage=usage,
        issuer="CN=Small CA",
        serial=f"{number:x}",
        not_before=START - 30 * DAY + number * 1000,
        not_after=START + 3650 * DAY,
        addresses=(f"{person}@example.com",),
    )
