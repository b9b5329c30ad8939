"""Authentication of senders. Only this file can make a :class:`VerifiedNotification`.

Every comparison runs in constant time over digests or signatures, against every valid secret of
the tenant, and against as many dummies if the tenant is unknown: neither the answer nor its time
shows whether tenant or password was wrong, or which secret was nearly right.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from connector.core.errors import Rejected
from connector.core.model import SECOND, Millis
from connector.decoding import MediaType
from connector.mounted import signing_key
from connector.sources.tenants import BasicSender, SigningSender

Compare = Callable[[bytes, bytes], bool]
T = TypeVar("T")

WEBHOOK_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
TIMESTAMP = re.compile(r"[0-9]{1,12}")
SIGNATURES = 8
"""Most signatures looked at in one header; the sender needs one per secret in rotation."""

JSON = MediaType("application/json", "")
_SEAL = object()


class VerifiedNotification:
    """Bytes whose sender is proven: tenant, body, its media type, and the signed id if any."""

    __slots__ = ("body", "kind", "signed_id", "tenant")

    def __init__(
        self, seal: object, tenant: str, body: bytes, kind: MediaType, signed_id: str = ""
    ) -> None:
        """Only for this module; raises TypeError without its private token."""
        if seal is not _SEAL:
            raise TypeError("only connector.sources.authentication verifies notifications")
        self.tenant = tenant
        self.body = body
        self.kind = kind
        self.signed_id = signed_id


class KnownCaller:
    """A caller that authenticated as a tenant before the body was read."""

    __slots__ = ("_seal", "tenant")

    def __init__(self, seal: object, tenant: BasicSender) -> None:
        """Made only by :class:`BasicAuthentication`."""
        self._seal = seal
        self.tenant = tenant

    def notification(self, body: bytes, kind: MediaType) -> VerifiedNotification:
        """What they then sent."""
        return VerifiedNotification(self._seal, self.tenant.name, body, kind)


class _Entry(NamedTuple, Generic[T]):
    """What is compared for one tenant; ``tenant`` None stands for all unknown ones."""

    secrets: tuple[bytes, ...]
    tenant: T | None


class BasicAuthentication:
    """HTTP Basic (RFC 7617) with several valid credentials per tenant.

    Args:
        tenants: who may send; one without credentials is treated as unknown.
        compare: constant-time comparison of two byte strings.
    """

    def __init__(
        self, tenants: Sequence[BasicSender], compare: Compare = hmac.compare_digest
    ) -> None:
        self._compare = compare
        digests = {tenant.name: _digests(tenant) for tenant in tenants if tenant.credentials}
        width = max(map(len, digests.values()), default=1)
        self._entries = {
            tenant.name: _Entry(_widened(digests[tenant.name], width), KnownCaller(_SEAL, tenant))
            for tenant in tenants
            if tenant.name in digests
        }
        self._nobody: _Entry[KnownCaller] = _Entry((bytes(32),) * width, None)

    def caller(self, tenant: str, authorization: str | None) -> KnownCaller:
        """The caller whose ``Authorization`` header this is.

        Raises:
            Rejected: ``AUTH-001`` for every cause, so that an answer reveals none.
        """
        entry = self._entries.get(tenant, self._nobody)
        offered = _offered(authorization or "")
        matches = 0
        for digest in entry.secrets:
            matches += self._compare(digest, offered)
        if matches and entry.tenant is not None:
            return entry.tenant
        raise Rejected("AUTH-001", "authenticating a webhook")


def _offered(authorization: str) -> bytes:
    scheme, _, token = authorization.partition(" ")
    if scheme != "Basic" and scheme.lower() != "basic":
        token = ""
    return hashlib.sha256(token.strip().encode("utf-8", "surrogateescape")).digest()


def _digests(tenant: BasicSender) -> tuple[bytes, ...]:
    """Digests of all accepted tokens. Old senders encode as Latin-1 (RFC 7617 section 2)."""
    tokens: dict[bytes, None] = {}
    for user, password in tenant.credentials:
        pair = f"{user}:{password.reveal()}"
        tokens[base64.b64encode(pair.encode())] = None
        latin = pair.encode("latin-1", "ignore")
        if latin.decode("latin-1") == pair:
            tokens[base64.b64encode(latin)] = None
    return tuple(hashlib.sha256(token).digest() for token in tokens)


def _widened(secrets: tuple[T, ...], width: int) -> tuple[T, ...]:
    """Pad to the largest number of secrets by repeating the first, which admits no other caller."""
    return secrets + secrets[:1] * (width - len(secrets))


class SignedHeaders(NamedTuple):
    """The three headers of Standard Webhooks 1.0; empty where the sender left one out."""

    id: str
    timestamp: str
    signatures: str


Signer = Callable[[bytes], bytes]
"""From a message to its signature."""


class _Signers(NamedTuple):
    """The signers of one CA; ``tenant`` None stands for all unknown ones."""

    signers: tuple[Signer, ...]
    tenant: SigningSender | None


class SignatureAuthentication:
    """Standard Webhooks 1.0 signatures (``v1``, HMAC-SHA256) with several secrets per tenant.

    Args:
        tenants: who may send; one without secrets is treated as unknown.
        compare: constant-time comparison of two byte strings.

    Raises:
        Permanent: ``CFG-003`` when a secret is not base64, or too short.
    """

    def __init__(
        self, tenants: Sequence[SigningSender], compare: Compare = hmac.compare_digest
    ) -> None:
        self._compare = compare
        width = max((len(tenant.secrets) for tenant in tenants), default=1) or 1
        self._entries = {
            tenant.name: _Signers(
                _widened(tuple(_signing(signing_key(one)) for one in tenant.secrets), width), tenant
            )
            for tenant in tenants
            if tenant.secrets
        }
        self._nobody = _Signers((_signing(bytes(32)),) * width, None)

    def verify(
        self,
        tenant: str,
        headers: SignedHeaders,
        body: bytes,
        now: Millis,
        kind: MediaType = JSON,
    ) -> VerifiedNotification:
        """The notification, if one of its signatures is by one of the tenant's secrets.

        Raises:
            Rejected: ``AUTH-002`` for every cause, so that an answer reveals none.
        """
        entry = self._entries.get(tenant, self._nobody)
        matches = self._matches(entry.signers, headers, body)
        known = entry.tenant
        if matches and known is not None and _is_fresh(headers.timestamp, now, known.tolerance):
            return VerifiedNotification(_SEAL, known.name, body, kind, headers.id)
        raise Rejected("AUTH-002", "verifying a webhook signature")

    def _matches(self, signers: tuple[Signer, ...], headers: SignedHeaders, body: bytes) -> int:
        """How many of the offered signatures are right; every one is tried with every secret.

        The signature is over the bytes as they came, in whichever encoding: the library that the
        tests sign with takes text only.
        """
        if not (WEBHOOK_ID.fullmatch(headers.id) and TIMESTAMP.fullmatch(headers.timestamp)):
            return 0
        message = b".".join((headers.id.encode(), headers.timestamp.encode(), body))
        expected = [b"v1," + base64.b64encode(sign(message)) for sign in signers]
        offered = headers.signatures.encode("utf-8", "surrogateescape").split(b" ")[:SIGNATURES]
        return sum(self._compare(mine, theirs) for mine in expected for theirs in offered)


def _signing(key: bytes) -> Signer:
    """Make a signing function; it keeps the key where no ``repr`` shows it."""
    keyed = hmac.new(key, digestmod=hashlib.sha256)

    def sign(message: bytes) -> bytes:
        one = keyed.copy()
        one.update(message)
        return one.digest()

    return sign


def _is_fresh(timestamp: str, now: Millis, tolerance: int) -> bool:
    return abs(int(timestamp) * SECOND - now) <= tolerance * SECOND
