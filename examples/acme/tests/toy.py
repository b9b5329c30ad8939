"""Acme in memory: users, devices, copies of keys, people and keys in escrow, recovery requests."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    pkcs12,
)

from connector.core.model import Usage
from connector_testkit.simulators.ca.authority import Authority, Leaf

PROFILE = "mail"
"""The id of the mail profile that every device has."""


@dataclass
class Escrowed:
    """A key in escrow with its certificate."""

    key: ec.EllipticCurvePrivateKey
    der: bytes
    usage: Usage
    fingerprint: str

    def bundle(self, password: bytes) -> bytes:
        """Its PKCS#12."""
        certificate = x509.load_der_x509_certificate(self.der)
        protection = BestAvailableEncryption(password)
        return pkcs12.serialize_key_and_certificates(None, self.key, certificate, None, protection)


@dataclass
class Toy:
    """One Acme system. ``told`` are the entries of its two feeds.

    ``taken`` are the sets that it took, user and (slot, fingerprint); ``secrets`` is what must be
    seen nowhere else: keys in escrow, bundles and passwords that passed.
    """

    retention: float = 3600
    people_decide: bool = False
    ahead: float = 0.0
    users: dict[str, dict[str, str]] = field(default_factory=dict)
    devices: dict[str, dict[str, Any]] = field(default_factory=dict)
    people: dict[str, list[Escrowed]] = field(default_factory=dict)
    requests: dict[str, dict[str, str]] = field(default_factory=dict)
    copies: dict[str, tuple[list[str], float]] = field(default_factory=dict)
    told: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"mdm": [], "ca": []})
    taken: list[tuple[str, frozenset[tuple[str, str]]]] = field(default_factory=list)
    secrets: list[bytes] = field(default_factory=list)
    authority: Authority = field(default_factory=lambda: Authority(Random(7)))

    def tell(self, part: str, event: str, about: str) -> None:
        """An entry in the feed of a part (``mdm``, ``ca``)."""
        self.told[part].append({"event": event, "about": about, "at": int(self.now() * 1000)})

    def now(self) -> float:
        """Acme's clock."""
        return time.time() + self.ahead

    def add_user(self, user: str, name: str) -> None:
        """A user; the person of the CA has the same name."""
        self.users[user] = {"id": user, "name": name, "mail": f"{name}@example.com"}

    def add_device(self, device: str, user: str) -> None:
        """A device, enrolled; it fetches the set that is there, if any."""
        self.devices[device] = {
            "id": device,
            "user": user,
            "enrolled": True,
            "platform": "Apple",
            "serial": f"S-{device}",
            "profiles": {PROFILE: "pending"},
            "certificates": [],
        }
        self.fetch(device)

    def issue(self, person: str, usage: Usage, days_ago: int, valid: int = 730) -> Escrowed:
        """A certificate with its key in escrow."""
        key = ec.generate_private_key(ec.SECP256R1())
        begin = datetime.now(UTC) - timedelta(days=days_ago)
        leaf = Leaf(person, mails(person), usage, begin, begin + timedelta(days=valid))
        der = self.authority.issue(leaf, key)
        made = Escrowed(key, der, usage, hashlib.sha256(der).hexdigest())
        self.people.setdefault(person, []).append(made)
        self.secrets.append(key.private_numbers().private_value.to_bytes(32))
        return made

    def issuers(self) -> list[bytes]:
        """The certificates above every leaf."""
        return [one.public_bytes(Encoding.DER) for one in self.authority.chain]

    def escrowed(self, person: str, fingerprint: str) -> Escrowed | None:
        """A key in escrow."""
        return next((one for one in self.people[person] if one.fingerprint == fingerprint), None)

    def held(self, user: str) -> bool:
        """Whether there is a copy of a user's keys."""
        return user in self.copies and self.now() < self.copies[user][1]

    def take(self, user: str, pairs: frozenset[tuple[str, str]]) -> None:
        """Take a set; devices that hold none yet fetch it, the others wait for a push."""
        self.taken.append((user, pairs))
        self.copies[user] = ([fingerprint for _, fingerprint in pairs], self.now() + self.retention)
        for device, shown in self.devices.items():
            if shown["user"] == user and not shown["certificates"]:
                self.fetch(device)

    def fetch(self, device: str) -> None:
        """A device fetches what is there of its user."""
        shown = self.devices[device]
        if self.held(shown["user"]):
            shown["certificates"] = self.copies[shown["user"]][0]
            shown["profiles"] = {PROFILE: "installed"}

    def reported(self, device: str) -> dict[str, Any]:
        """A device as it reports itself, now."""
        return {**self.devices[device], "reported_at": int(self.now() * 1000)}

    def shown(self, user: str) -> dict[str, Any]:
        """A user with all devices."""
        mine = [name for name, device in self.devices.items() if device["user"] == user]
        return {**self.users[user], "devices": [self.reported(name) for name in mine]}

    def opened(self, body: bytes) -> Iterator[tuple[str, str]]:
        """Slot and fingerprint of each pair of an upload."""
        while body:
            head, _, body = body.partition(b"\n")
            slot, size, length = head.split()
            bundle, body = body[: int(size)], body[int(size) :]
            password, body = body[: int(length)], body[int(length) :]
            opened = pkcs12.load_pkcs12(bundle, password)
            assert opened.cert is not None
            self.secrets += [password, bundle[-32:]]
            yield slot.decode(), opened.cert.certificate.fingerprint(hashes.SHA256()).hex()


def mails(person: str) -> tuple[str, ...]:
    """A person's mail addresses."""
    return (f"{person}@example.com",)
