"""From what a CA lists to generations, each with what stands against sending it.

Nothing here raises for a certificate. One that cannot be read, or whose key no hand-over can
handle, stays in the list as a generation that cannot be sent: it is named, everything else of the
person is known all the same, and a person can drop it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connector.certificates.issuance import TrustedIssuers, judge
from connector.certificates.reading import Certificate, Unreadable, read
from connector.core.model import Generation, Objection, Sha256Hex, Usage, millis_of
from connector.core.ports import EscrowedCertificate, EscrowListing

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


def judged(listing: EscrowListing, issuers_file: str | None) -> EscrowListing:
    """The listing with what the chains of its certificates say, by a route's trusted issuers.

    Raises:
        Permanent: ``CFG-003`` when the file of trusted issuers cannot be used.
    """
    trusted = None if issuers_file is None else TrustedIssuers.from_file(Path(issuers_file))
    certificates = tuple(_judged(one, trusted) for one in listing.certificates)
    return listing.model_copy(update={"certificates": certificates})


def _judged(one: EscrowedCertificate, trusted: TrustedIssuers | None) -> EscrowedCertificate:
    generation = one.generation
    if generation.objection is not None:
        return one
    try:
        verdict = judge(one.certificate, one.chain, trusted)
    except Unreadable as error:
        objection = Objection(code="KEY-109", why=f"{error} cannot be read")
        return one.model_copy(
            update={"generation": generation.model_copy(update={"objection": objection})}
        )
    changes = {
        "objection": verdict.objection,
        "only_archived": generation.only_archived or verdict.only_archived,
        "chain_unchecked": verdict.unchecked,
    }
    return one.model_copy(update={"generation": generation.model_copy(update=changes)})
