"""The JSON documents of the escrow API, honest or distorted by a lie."""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from connector.core.model import Usage
from connector_testkit.simulators.ca.commands import Lie
from connector_testkit.simulators.ca.recoveries import Recovery
from connector_testkit.simulators.ca.registry import Escrowed, Person

SOMEBODY_ELSE = "somebody.else"


def listing(person: Person, chain: Sequence[x509.Certificate], lie: Lie | None) -> dict[str, Any]:
    """A ``Listing``: the person's record and all generations."""
    record, generations = person.record, person.generations
    issuers = [_base64(issuer.public_bytes(serialization.Encoding.DER)) for issuer in chain]
    return {
        "person": {
            "person": SOMEBODY_ELSE if lie is Lie.OTHER_PERSON else record.person,
            "name": record.name,
            "addresses": list(record.addresses),
            "attributes": record.attributes,
        },
        "generations": [
            {**_distorted(_generation(generation), lie), "chain": issuers}
            for generation in (generations * 2 if lie is Lie.TWICE else generations)
        ],
    }


def _generation(generation: Escrowed) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "fingerprint": generation.fingerprint,
        "certificate": _base64(generation.der),
        "usage": generation.order.usage.value,
        "status": "active" if generation.revoked_at is None else "revoked",
        "recoverable": generation.order.recoverable,
        "single_use": generation.order.single_use,
    }
    if generation.revoked_at is not None:
        entry["revoked_at"] = generation.revoked_at.isoformat()
        entry["reason"] = generation.reason
    return entry


def _distorted(entry: dict[str, Any], lie: Lie | None) -> dict[str, Any]:
    """A listed generation as the lie has it; a revoked one loses or contradicts its mark."""
    match lie:
        case Lie.HIDDEN_REVOCATION:
            hidden = {"revoked_at", "reason"}
            kept = {name: value for name, value in entry.items() if name not in hidden}
            return {**kept, "status": "active"}
        case Lie.CONTRADICTORY_STATUS:
            return {**entry, "status": "active", "revoked_at": "2020-01-01T00:00:00Z"}
        case Lie.WRONG_FINGERPRINT:
            return {**entry, "fingerprint": entry["fingerprint"][::-1]}
        case Lie.WRONG_USAGE:
            wrong = {Usage.SIGNING: Usage.ENCRYPTION, Usage.ENCRYPTION: Usage.SIGNING}
            usage = Usage(entry["usage"])
            return {**entry, "usage": wrong.get(usage, usage).value}
        case Lie.GARBAGE:
            garbage = bytes(reversed(entry["certificate"].encode()))
            digest = hashlib.sha256(garbage).hexdigest()
            return {**entry, "certificate": _base64(garbage), "fingerprint": digest}
        case _:
            return entry


def request_document(recovery: Recovery, lie: Lie | None) -> dict[str, Any]:
    """A ``Request``; a lie names another person or another generation."""
    fingerprint = recovery.asked.fingerprint
    if lie is Lie.OTHER_GENERATION:
        fingerprint = fingerprint[::-1]
    return {
        "request_id": recovery.request_id,
        "person": SOMEBODY_ELSE if lie is Lie.OTHER_PERSON else recovery.asked.person,
        "fingerprint": fingerprint,
        "state": recovery.state.value,
    }


def _base64(content: bytes) -> str:
    return b64encode(content).decode()
