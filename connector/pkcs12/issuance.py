"""Whether a certificate was issued by somebody we trust, judged as of its issuance.

An archived generation may have expired, and so may its issuers (design promise 4): what counts is
that every link was valid on the day the certificate was made.
"""

from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from connector.core.errors import Permanent

PATH_LIMIT = 8


class TrustedIssuers:
    """The issuers that certificates of holders must lead to."""

    def __init__(self, certificates: Sequence[x509.Certificate]) -> None:
        """Trust ``certificates``, roots or intermediates."""
        self._certificates = tuple(certificates)

    @classmethod
    def from_file(cls, path: Path) -> "TrustedIssuers":
        """Read a PEM bundle.

        Raises:
            Permanent: ``CFG-003`` when it cannot be read or holds no certificate.
        """
        try:
            return cls(x509.load_pem_x509_certificates(path.read_bytes()))
        except (OSError, ValueError):
            raise Permanent("CFG-003", "reading file of trusted issuers") from None

    def check(self, certificate: bytes, chain: Sequence[bytes]) -> None:
        """Follow the chain from a certificate (both DER) to a trusted issuer.

        Raises:
            Permanent: ``KEY-205`` when there is no path of signatures that were valid when the
                certificate was issued.
        """
        try:
            leaf = x509.load_der_x509_certificate(certificate)
            offered = [x509.load_der_x509_certificate(der) for der in chain[:PATH_LIMIT]]
            trusted = self._reaches(leaf, offered)
        except ValueError:
            trusted = False
        if not trusted:
            raise Permanent("KEY-205", "checking certificate: not issued by a trusted issuer")

    def _reaches(self, leaf: x509.Certificate, offered: list[x509.Certificate]) -> bool:
        subject = leaf
        for _ in range(PATH_LIMIT):
            if any(_issued(subject, issuer, leaf) for issuer in self._certificates):
                return True
            issuer = next((one for one in offered if _issued(subject, one, leaf)), None)
            if issuer is None:
                return False
            offered = [one for one in offered if one != issuer]
            subject = issuer
        return False


def _issued(subject: x509.Certificate, issuer: x509.Certificate, leaf: x509.Certificate) -> bool:
    on_the_day = leaf.not_valid_before_utc
    if not issuer.not_valid_before_utc <= on_the_day <= issuer.not_valid_after_utc:
        return False
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        subject.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    return constraints.ca
