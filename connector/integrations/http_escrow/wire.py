"""What the ``http`` escrow answers, and how it becomes records of the core.

The models follow ``schemas/escrow-http.openapi.yaml``; unknown members are ignored. Everything here
is public: no key passes through this file. The members of an answer are compared with the
certificate itself: a list that contradicts itself is refused, while a certificate that cannot be
sent stays in it with the reason.
"""

import hashlib
from base64 import b64decode
from typing import Annotated, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from connector.certificates.listing import generation
from connector.core.addresses import canonical_address
from connector.core.errors import Permanent
from connector.core.model import (
    OpenRequest,
    PersonRecord,
    RequestState,
    Sha256Hex,
    Usage,
    millis_of,
)
from connector.core.ports import EscrowedCertificate, EscrowListing
from connector.decoding import UnknownEncodingError, text_of_json

CERTIFICATE_LIMIT = 32 * 1024
Model = TypeVar("Model", bound=BaseModel)


def _der(value: object) -> bytes:
    if not isinstance(value, str) or len(value) > CERTIFICATE_LIMIT:
        raise ValueError("expecting base64 of a certificate")
    return b64decode(value, validate=True)


def _issuer(value: object) -> bytes:
    """An issuer that cannot be decoded is one that cannot be read: it concerns only the chain."""
    try:
        return _der(value)
    except ValueError:
        return b""


Der = Annotated[bytes, PlainValidator(_der)]
Issuer = Annotated[bytes, PlainValidator(_issuer)]
Name = Annotated[str, Field(min_length=1, max_length=256)]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class WirePerson(_Wire):
    """``PersonRecord`` of the contract."""

    person: Name
    name: str = Field(max_length=256)
    addresses: tuple[Annotated[str, Field(min_length=3, max_length=320)], ...] = Field(
        max_length=100
    )
    attributes: dict[str, Annotated[str, Field(max_length=1024)]] = Field(default={}, max_length=50)


class WireGeneration(_Wire):
    """``Generation`` of the contract."""

    fingerprint: Sha256Hex
    certificate: Der
    chain: tuple[Issuer, ...] = Field(max_length=10)
    usage: Usage
    status: Literal["active", "revoked"]
    revoked_at: AwareDatetime | None = None
    reason: str | None = Field(default=None, max_length=64)
    recoverable: bool
    single_use: bool


class WireListing(_Wire):
    """``Listing`` of the contract."""

    person: WirePerson
    generations: tuple[WireGeneration, ...] = Field(max_length=500)


class WireRequest(_Wire):
    """``Request`` of the contract."""

    request_id: Annotated[str, Field(pattern=r"^[0-9a-f-]{8,64}$")]
    person: Name
    fingerprint: Sha256Hex
    state: Literal["granted", "pending", "denied", "expired", "fetched"]


class WireRequests(_Wire):
    """``OpenRequests`` of the contract."""

    person: Name
    requests: tuple[WireRequest, ...] = Field(max_length=1000)


def parse(model: type[Model], body: bytes | bytearray, charset: str = "") -> Model:
    """An answer as ``model``; ``charset`` is the parameter of its media type.

    Raises:
        Permanent: ``CA-004``; names the place of the error, not the content.
    """
    try:
        return model.model_validate_json(text_of_json(bytes(body), charset))
    except UnicodeError:
        raise Permanent("CA-004", "reading the answer: not valid in its encoding") from None
    except UnknownEncodingError:
        raise Permanent("CA-004", "reading the answer: unsupported encoding") from None
    except ValidationError as error:
        faults = error.errors(include_input=False, include_context=False, include_url=False)
        place = ".".join(str(part) for part in faults[0]["loc"])
        raise Permanent("CA-004", f"reading the answer at {place}: {faults[0]['type']}") from None


def listing(wire: WireListing, person: str) -> EscrowListing:
    """The listing of ``person``.

    Raises:
        Permanent: ``CA-412`` when it is another person's, ``CA-008`` when it contradicts itself.
    """
    same(wire.person.person, person)
    certificates = tuple(_escrowed(generation) for generation in wire.generations)
    if len({entry.generation.fingerprint for entry in certificates}) != len(certificates):
        raise Permanent("CA-008", "a certificate is listed twice")
    record = PersonRecord(
        person=person,
        addresses=tuple(map(canonical_address, wire.person.addresses)),
        attributes={
            **{name.lower(): value for name, value in wire.person.attributes.items()},
            "name": wire.person.name,
        },
    )
    return EscrowListing(person=record, certificates=certificates)


def open_requests(wire: WireRequests, person: str) -> tuple[OpenRequest, ...]:
    """The requests of ``person``.

    Raises:
        Permanent: ``CA-412`` when one is another person's.
    """
    for named in (wire.person, *(request.person for request in wire.requests)):
        same(named, person)
    return tuple(
        OpenRequest(
            id=request.request_id,
            fingerprint=request.fingerprint,
            state=RequestState(request.state),
        )
        for request in wire.requests
    )


def same(answered: str, asked: str) -> None:
    """Refuse an answer about something else.

    Raises:
        Permanent: ``CA-412``.
    """
    if answered != asked:
        raise Permanent("CA-412", "the answer is about another subject than the request")


def _escrowed(wire: WireGeneration) -> EscrowedCertificate:
    name = wire.fingerprint[:16]
    if hashlib.sha256(wire.certificate).hexdigest() != wire.fingerprint:
        raise Permanent("CA-008", f"certificate {name} has another fingerprint")
    if (wire.status == "revoked") != (wire.revoked_at is not None):
        raise Permanent("CA-008", f"certificate {name} is listed as revoked and active at once")
    facts = {
        "revoked_at": None if wire.revoked_at is None else millis_of(wire.revoked_at),
        "revocation_reason": wire.reason,
        "recoverable": wire.recoverable,
        "single_use": wire.single_use,
    }
    return EscrowedCertificate(
        generation=generation(wire.certificate, wire.fingerprint, wire.usage, facts),
        certificate=wire.certificate,
        chain=wire.chain,
    )
