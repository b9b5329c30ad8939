"""Whether a certificate was issued by an authority we trust, judged as of its issuance.

An archived generation may have expired, and so may its issuers (design promise 4): what counts is
that every one on the path was valid on the day the certificate was made. Trusted issuers are
anchors in the sense of RFC 5280 section 6.1.1(d): their name and key count, not their own dates,
version or extensions.
"""

import re
from base64 import b64decode
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from connector.certificates.reading import Certificate, Unreadable, read
from connector.certificates.signatures import Signature, digest_of, signature_of
from connector.core.errors import Permanent
from connector.core.model import Objection, Sha256Hex
from connector.mounted import read_mounted

PATH_LIMIT = 8
V3 = 3
_PEM = re.compile(
    rb"-----BEGIN (?:X509 )?CERTIFICATE-----(.*?)-----END (?:X509 )?CERTIFICATE-----",
    re.DOTALL,
)


class Verdict(NamedTuple):
    """What is known of a certificate's issuance.

    ``objection``: why it must not be sent. ``only_archived``: why it cannot be a current one.
    ``unchecked``: why its chain could not be checked; empty when it was.
    """

    objection: Objection | None = None
    only_archived: str = ""
    unchecked: str = ""


class TrustedIssuers:
    """The issuers that certificates of holders must lead to."""

    def __init__(self, certificates: Sequence[Certificate]) -> None:
        """Trust ``certificates``: roots, intermediates, or single certificates of holders."""
        self._fingerprints = {one.fingerprint for one in certificates}
        self._by_subject: dict[str, list[Certificate]] = {}
        for one in certificates:
            self._by_subject.setdefault(_comparable(one.subject), []).append(one)

    @classmethod
    def from_file(cls, path: Path) -> "TrustedIssuers":
        """Read a PEM bundle. Read once as long as the file is not changed.

        Raises:
            Permanent: ``CFG-003`` as :func:`connector.mounted.read_mounted`, or when it holds no
                certificate, or one that cannot be read.
        """
        try:
            status = path.stat()
            return _from_file(path, status.st_mtime_ns, status.st_size)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise Permanent("CFG-003", f"reading file of trusted issuers: {why}") from None

    def __contains__(self, certificate: Certificate) -> bool:
        """Whether this very certificate is trusted."""
        return certificate.fingerprint in self._fingerprints

    def issuers_of(self, certificate: Certificate) -> list[Certificate]:
        """The trusted issuers that have the name of its issuer."""
        return self._by_subject.get(_comparable(certificate.issuer), [])


@lru_cache(maxsize=16)
def _from_file(path: Path, _modified: int, _size: int) -> TrustedIssuers:
    return TrustedIssuers(list(_certificates(read_mounted(path))))


def _certificates(pem: bytes) -> Iterator[Certificate]:
    blocks = _PEM.findall(pem)
    if not blocks:
        raise ValueError("it holds no PEM certificate")
    for number, block in enumerate(blocks, 1):
        try:
            yield read(b64decode(b"".join(block.split()), validate=True))
        except ValueError:
            raise ValueError(f"certificate {number} of {len(blocks)} cannot be read") from None


def judge(der: bytes, chain: Sequence[bytes], trusted: TrustedIssuers | None) -> Verdict:
    """What a certificate's chain (DER, its own issuer first) says of its issuance.

    With trusted issuers the path has to reach one of them. Without them the chain that the CA
    offers is followed as far as it can be read: a wrong signature is an objection, an issuer that
    is missing or cannot be read is none, because the CA's list is trusted for the rest.
    """
    leaf = read(der)
    offered = [one for one in map(_readable, chain[:PATH_LIMIT]) if one is not None]
    if trusted is None:
        return _followed(leaf, offered)
    if leaf in trusted:
        return Verdict()
    return _Path(leaf, trusted).search(leaf, offered)


def _readable(der: bytes) -> Certificate | None:
    try:
        return read(der)
    except Unreadable:
        return None


class _Path:
    """The search for a path from one certificate to a trusted issuer."""

    def __init__(self, leaf: Certificate, trusted: TrustedIssuers) -> None:
        self._leaf = leaf
        self._trusted = trusted
        self._obstacle = "its issuer is neither trusted nor in the chain"
        self._broken = False
        self._visited: set[Sha256Hex] = set()

    def search(self, leaf: Certificate, offered: list[Certificate]) -> Verdict:
        if self._reaches(leaf, offered):
            weak = digest_of(leaf) == "sha1"
            return Verdict(only_archived="signed with SHA-1" if weak else "")
        if self._broken:
            why = "it or one of its issuers is signed with MD5"
            return Verdict(Objection(code="KEY-111", why=why))
        return Verdict(Objection(code="KEY-205", why=self._obstacle))

    def _reaches(self, subject: Certificate, offered: list[Certificate]) -> bool:
        if any(self._signed(subject, anchor) for anchor in self._trusted.issuers_of(subject)):
            return True
        for issuer in _issuers(subject, offered):
            if issuer.fingerprint in self._visited or not self._may_issue(issuer):
                continue
            if self._signed(subject, issuer):
                self._visited.add(issuer.fingerprint)
                if self._reaches(issuer, offered):
                    return True
                self._obstacle = "its chain ends before a trusted issuer"
        return False

    def _signed(self, subject: Certificate, issuer: Certificate) -> bool:
        found = signature_of(subject, issuer)
        if found is Signature.BROKEN:
            self._broken = True
        elif found is not Signature.RIGHT:
            self._obstacle = f"a signature of its chain is {found}"
        return found is Signature.RIGHT

    def _may_issue(self, issuer: Certificate) -> bool:
        if issuer.version < V3 or not issuer.is_authority:
            self._obstacle = "a certificate in its chain is not a CA certificate"
        elif not issuer.not_before <= self._leaf.not_before <= issuer.not_after:
            self._obstacle = "an issuer of its chain was not valid on the day of issuance"
        else:
            return True
        return False


def _followed(leaf: Certificate, offered: list[Certificate]) -> Verdict:
    subject = leaf
    for _ in range(PATH_LIMIT):
        issuers = _issuers(subject, offered)
        if not issuers:
            return Verdict(unchecked="" if subject is not leaf else "its issuer is not in the list")
        found = {signature_of(subject, one): one for one in issuers}
        if Signature.RIGHT not in found:
            return _not_followed(set(found))
        subject = found[Signature.RIGHT]
        if _comparable(subject.subject) == _comparable(subject.issuer):
            break  # a root
        offered = [one for one in offered if one is not subject]
    return Verdict()


def _not_followed(found: set[Signature]) -> Verdict:
    if found == {Signature.WRONG}:
        return Verdict(Objection(code="KEY-205", why="a signature in its chain does not verify"))
    how = next(one for one in found if one is not Signature.WRONG)
    return Verdict(unchecked=f"a signature of its chain is {how}")


def _issuers(subject: Certificate, offered: list[Certificate]) -> list[Certificate]:
    """The offered certificates that have the issuer's name, and its key id where both have one."""
    name = _comparable(subject.issuer)
    return [
        one
        for one in offered
        if name
        and _comparable(one.subject) == name
        and one is not subject
        and (
            None in {one.subject_key_id, subject.authority_key_id}
            or one.subject_key_id == subject.authority_key_id
        )
    ]


def _comparable(name: str) -> str:
    """A name without the differences that RFC 5280 section 7.1 says to ignore."""
    return " ".join(name.casefold().split())
