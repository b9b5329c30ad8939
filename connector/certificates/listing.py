"""From what a CA lists to generations, each with what stands against sending it.

Nothing here raises for a certificate. One that cannot be read, or whose key no hand-over can
handle, stays in the list as a generation that cannot be sent: it is named, everything else of the
person is known all the same, and a person can drop it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from connector.certificates.issuance import TrustedIssuers, judge
from connector.certificates.reading import Certificate, Unreadable, read
from connector.core.model import Generation, Millis, Objection, Sha256Hex, Usage, millis_of
from connector.core.ports import EscrowedCertificate, EscrowListing, TargetCapabilities

_SIGNS = {"digital_signature", "content_commitment"}
_ENCRYPTS = {"key_encipherment", "key_agreement"}
_ENCRYPTED = {"data_encipherment"}
"""Bits that let old clients encrypt mail, though they are meant for bare data."""


def generation(
    der: bytes, fingerprint: Sha256Hex, usage: Usage, facts: Mapping[str, Any]
) -> Generation:
    """A generation of a listed certificate.

    Args:
        der: the certificate.
        fingerprint: its SHA-256, which the caller has compared.
        usage: what the CA says that it is for.
        facts: what else the CA says of it, by members of :class:`Generation`.
    """
    try:
        certificate = read(der)
    except Unreadable as error:
        return _unreadable(fingerprint, usage, facts, str(error))
    return Generation(
        fingerprint=fingerprint,
        public_key=certificate.public_key,
        usage=usage,
        issuer=certificate.issuer,
        serial=f"{certificate.serial:x}",
        subject=certificate.subject,
        not_before=millis_of(certificate.not_before),
        not_after=millis_of(certificate.not_after),
        addresses=certificate.addresses,
        key_type=certificate.key.kind,
        key_size=certificate.key.size,
        objection=certificate.key.objection() or _usage_objection(certificate, usage),
        only_archived=_only_archived(certificate, usage),
        **facts,
    )


def _unreadable(
    fingerprint: Sha256Hex, usage: Usage, facts: Mapping[str, Any], part: str
) -> Generation:
    """Its key is not known either; the fingerprint stands for it, because no other key has that."""
    return Generation(
        fingerprint=fingerprint,
        public_key=fingerprint,
        usage=usage,
        issuer="",
        serial="",
        not_before=0,
        not_after=0,
        key_type="other",
        key_size=0,
        objection=Objection(code="KEY-109", why=f"{part} cannot be read"),
        **facts,
    )


def _usage_objection(certificate: Certificate, usage: Usage) -> Objection | None:
    allowed = certificate.usages
    if allowed is None:
        return None
    signs, encrypts = allowed & _SIGNS, allowed & (_ENCRYPTS | _ENCRYPTED)
    if (usage is Usage.ENCRYPTION or signs) and (usage is Usage.SIGNING or encrypts):
        return None
    return Objection(code="KEY-110", why="its key usage does not allow what it is listed for")


def _only_archived(certificate: Certificate, usage: Usage) -> str:
    allowed = certificate.usages
    if usage is Usage.SIGNING or allowed is None or allowed & _ENCRYPTS:
        return ""
    return "for encrypting data, not keys"


class Standard(NamedTuple):
    """What generations are judged by: a route's issuers, what its target takes, and the time."""

    issuers_file: str | None
    target: TargetCapabilities
    now: Millis


def judged(listing: EscrowListing, standard: Standard) -> EscrowListing:
    """The listing with what stands against its generations besides themselves.

    Raises:
        Permanent: ``CFG-003`` when the file of trusted issuers cannot be used.
    """
    file = standard.issuers_file
    trusted = None if file is None else TrustedIssuers.from_file(Path(file))
    certificates = tuple(_judged(one, standard, trusted) for one in listing.certificates)
    return listing.model_copy(update={"certificates": certificates})


def _judged(
    one: EscrowedCertificate, standard: Standard, trusted: TrustedIssuers | None
) -> EscrowedCertificate:
    generation = one.generation
    objection = generation.objection or _not_taken(generation, standard)
    if objection is not None:
        return _changed(one, objection=objection)
    try:
        verdict = judge(one.certificate, one.chain, trusted)
    except Unreadable as error:
        objection = Objection(code="KEY-109", why=f"{error} cannot be read")
        return _changed(one, objection=objection)
    return _changed(
        one,
        objection=verdict.objection,
        only_archived=generation.only_archived or verdict.only_archived,
        chain_unchecked=verdict.unchecked,
    )


def _not_taken(generation: Generation, standard: Standard) -> Objection | None:
    """Why the target does not take a generation; None when it does."""
    target = standard.target
    if generation.key_type not in target.key_types:
        return Objection(code="KEY-112", why=f"the target takes no {generation.key_type} keys")
    if generation.not_after <= standard.now and not target.expired:
        return Objection(code="KEY-112", why="it is expired, and the target takes only valid ones")
    return None


def _changed(one: EscrowedCertificate, **changes: object) -> EscrowedCertificate:
    return one.model_copy(update={"generation": one.generation.model_copy(update=changes)})
