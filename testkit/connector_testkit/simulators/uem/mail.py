"""A device reading S/MIME mail with the keys that it holds.

The message's recipients (CMS EnvelopedData, RFC 5652 section 6.2) name a certificate by issuer and
serial number; the device looks for it among its encryption pairs, earlier ones included. Only RSA
PKCS#1 v1.5 key transport with AES-CBC content can be read, as that is what `cryptography` reads.
"""

import base64
import binascii
import email
import email.policy
from collections.abc import Iterable
from typing import Any

from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from connector_testkit.simulators.uem.records import CertificateSet, Pair

PEM_LIMITS = ("-----BEGIN CMS-----", "-----BEGIN PKCS7-----")


class UnreadableMailError(Exception):
    """A message that the device cannot read; ``code`` says why."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def decrypt(message: bytes, held: CertificateSet | None) -> tuple[bytes, Pair]:
    """The content of a message (S/MIME, PEM or DER), and the pair that opened it.

    Raises:
        UnreadableMailError: ``no-profile`` the device holds no keys; ``not-a-message``; ``no-key``
            none of the recipients' keys is held; ``unsupported`` algorithm; ``damaged``.
    """
    if held is None:
        raise UnreadableMailError("no-profile")
    der = _der(message)
    pair = _fitting(_recipients(der), held.pairs)
    if not isinstance(pair.key, rsa.RSAPrivateKey):
        raise UnreadableMailError("unsupported")
    try:
        return pkcs7.pkcs7_decrypt_der(der, pair.certificate, pair.key, []), pair
    except UnsupportedAlgorithm:
        raise UnreadableMailError("unsupported") from None
    except ValueError:
        raise UnreadableMailError("damaged") from None


def _der(message: bytes) -> bytes:
    """The CMS structure, extracted from its encoding."""
    if message[:1] == b"\x30":
        return message
    try:
        text = message.decode("ascii")
        if text.lstrip().startswith(PEM_LIMITS):
            lines = [line for line in text.split("\n") if line and not line.startswith("-----")]
            return base64.b64decode("".join(lines))
        parsed = email.message_from_string(text, policy=email.policy.SMTP)
        body = parsed.get_payload(decode=True)
    except (UnicodeDecodeError, binascii.Error, ValueError):
        raise UnreadableMailError("not-a-message") from None
    if not isinstance(body, bytes) or "pkcs7-mime" not in parsed.get_content_type():
        raise UnreadableMailError("not-a-message")
    return body


def _recipients(der: bytes) -> list[Any]:
    try:
        content = cms.ContentInfo.load(der, strict=False)
        if content["content_type"].native != "enveloped_data":
            raise UnreadableMailError("unsupported")
        infos = [info.chosen for info in content["content"]["recipient_infos"]]
    except (ValueError, TypeError):
        raise UnreadableMailError("not-a-message") from None
    found = [info["rid"] for info in infos if isinstance(info, cms.KeyTransRecipientInfo)]
    named = [rid.chosen for rid in found if rid.name == "issuer_and_serial_number"]
    if infos and not named:
        raise UnreadableMailError("unsupported")
    return named


def _fitting(recipients: Iterable[Any], pairs: Iterable[Pair]) -> Pair:
    usable = [pair for pair in pairs if pair.slot != "signing"]
    for recipient in recipients:
        for pair in usable:
            if _names(recipient, pair.certificate):
                return pair
    raise UnreadableMailError("no-key")


def _names(recipient: Any, certificate: x509.Certificate) -> bool:
    """Whether an IssuerAndSerialNumber means this certificate."""
    parsed = asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
    same_serial = recipient["serial_number"].native == parsed.serial_number
    return bool(same_serial and recipient["issuer"] == parsed.issuer)
