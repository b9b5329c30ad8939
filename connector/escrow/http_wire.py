"""What the ``http`` escrow answers, and how it becomes records of the core.

The models follow ``schemas/escrow-http.openapi.yaml``; unknown members are ignored. Everything here
is public: no key passes through this file. Whatever an answer claims is compared with the
certificate itself.
"""

import hashlib
from base64 import b64decode
from typing import Annotated, Literal, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from connector.core.errors import Permanent
from connector.core.model import (
    Generation,
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


Der = Annotated[bytes, PlainValidator(_der)]
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
    chain: tuple[Der, ...] = Field(max_length=10)
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
        Permanent: ``CA-004``; where it is wrong is said, what was there is not.
    """
    try:
        return model.model_validate_json(text_of_json(bytes(body), charset))
    except UnicodeError:
        raise Permanent("CA-004", "reading the answer: not in its encoding") from None
    except UnknownEncodingError:
        raise Permanent("CA-004", "reading the answer: in an encoding of its own") from None
    except ValidationError as error:
        faults = error.errors(include_input=False, include_context=False, include_url=False)
        place = ".".join(str(part) for part in faults[0]["loc"])
        raise Permanent("CA-004", f"reading the answer at {place}: {faults[0]['type']}") from None


def listing(wire: WireListing, person: str) -> EscrowListing:
    """The listing of ``person``.

    Raises:
        Permanent: ``CA-412`` when it is about somebody else, ``CA-008`` when it contradicts itself.
    """
    same(wire.person.person, person)
    certificates = tuple(_escrowed(generation) for generation in wire.generations)
    if len({entry.generation.fingerprint for entry in certificates}) != len(certificates):
        raise Permanent("CA-008", "a certificate is listed twice")
    record = PersonRecord(
        person=person,
        addresses=tuple(address.lower() for address in wire.person.addresses),
        attributes={
            **{name.lower(): value for name, value in wire.person.attributes.items()},
            "name": wire.person.name,
        },
    )
    return EscrowListing(person=record, certificates=certificates)


def open_requests(wire: WireRequests, person: str) -> tuple[OpenRequest, ...]:
    """The requests of ``person``.

    Raises:
        Permanent: ``CA-412`` when one is about somebody else.
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
        raise Permanent("CA-412", "the answer is not about what was asked")


def _escrowed(wire: WireGeneration) -> EscrowedCertificate:
    name = wire.fingerprint[:16]
    if hashlib.sha256(wire.certificate).hexdigest() != wire.fingerprint:
        raise Permanent("CA-008", f"certificate {name} has another fingerprint")
    if (wire.status == "revoked") != (wire.revoked_at is not None):
        raise Permanent("CA-008", f"certificate {name} is listed as revoked and active at once")
    try:
        for issuer in wire.chain:
            x509.load_der_x509_certificate(issuer)
        generation = _generation(wire, x509.load_der_x509_certificate(wire.certificate))
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion):
        raise Permanent("CA-008", f"parsing certificate {name} or its chain") from None
    return EscrowedCertificate(
        generation=generation, certificate=wire.certificate, chain=wire.chain
    )


def _generation(wire: WireGeneration, certificate: x509.Certificate) -> Generation:
    if not _allows(certificate, wire.usage):
        raise Permanent("CA-008", f"certificate {wire.fingerprint[:16]} does not allow its usage")
    key = certificate.public_key()
    kind, size = _kind(key)
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Generation(
        fingerprint=wire.fingerprint,
        public_key=hashlib.sha256(spki).hexdigest(),
        usage=wire.usage,
        issuer=certificate.issuer.rfc4514_string(),
        serial=f"{certificate.serial_number:x}",
        subject=certificate.subject.rfc4514_string(),
        not_before=millis_of(certificate.not_valid_before_utc),
        not_after=millis_of(certificate.not_valid_after_utc),
        addresses=_addresses(certificate),
        key_type=kind,
        key_size=size,
        revoked_at=None if wire.revoked_at is None else millis_of(wire.revoked_at),
        revocation_reason=wire.reason,
        recoverable=wire.recoverable,
        single_use=wire.single_use,
    )


def _allows(certificate: x509.Certificate, usage: Usage) -> bool:
    """Whether the key usage allows it (RFC 5280 section 4.2.1.3); without the extension, all."""
    try:
        allowed = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    signs = allowed.digital_signature or allowed.content_commitment
    encrypts = allowed.key_encipherment or allowed.key_agreement
    return {
        Usage.SIGNING: signs,
        Usage.ENCRYPTION: encrypts,
        Usage.BOTH: signs and encrypts,
    }[usage]


def _addresses(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(name.lower() for name in names.get_values_for_type(x509.RFC822Name))


def _kind(key: object) -> tuple[str, int]:
    match key:
        case rsa.RSAPublicKey():
            return "rsa", key.key_size
        case ec.EllipticCurvePublicKey():
            return "ec", key.key_size
        case _:
            return "other", 0
