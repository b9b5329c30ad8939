"""A broker that checks who comes: its certificates, users and tokens, all made for one run."""

import base64
import json
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from connector_testkit.demo.broker import Brokers
from connector_testkit.demo.broker_settings import Guard
from connector_testkit.simulators.tls import TlsFiles, issue_tls

KEEPER = "keeper"
"""May do everything."""
LIMITED = "limited"
"""May do only what a test grants."""
CERTIFIED = "pki-connector"
"""Common name of the client certificate; may do everything."""
WORKLOAD = "workload"
"""Subject of the tokens; may do everything."""
AUDIENCE = "kafka"


class Signer:
    """Signs tokens (RFC 7519, RS256) as an identity provider would."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(65537, 2048)

    def jwks(self) -> str:
        """Its public key as a set (RFC 7517)."""
        numbers = self._key.public_key().public_numbers()
        key = {
            "kty": "RSA",
            "kid": "one",
            "alg": "RS256",
            "use": "sig",
            "n": _encoded(numbers.n.to_bytes(256, "big")),
            "e": _encoded(numbers.e.to_bytes(3, "big")),
        }
        return json.dumps({"keys": [key]})

    def token(self, subject: str = WORKLOAD, *, lasts: timedelta = timedelta(hours=1)) -> str:
        """A token for the broker."""
        now = datetime.now(UTC)
        issued, expires = min(now, now + lasts) - timedelta(minutes=1), now + lasts
        claims = {
            "sub": subject,
            "aud": AUDIENCE,
            "iat": int(issued.timestamp()),
            "exp": int(expires.timestamp()),
            "scope": "kafka",
        }
        parts = ({"alg": "RS256", "typ": "JWT", "kid": "one"}, claims)
        text = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
        signature = self._key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{_encoded(signature)}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Keys(NamedTuple):
    """All that a client may need to come in."""

    guard: Guard
    tls: TlsFiles
    passwords: dict[str, str]
    signer: Signer


class GuardedBrokers(NamedTuple):
    """The brokers and the keys to them."""

    brokers: Brokers
    keys: Keys


def guard(folder: Path) -> Keys:
    """Certificates, passwords and a signer for brokers that are not started yet."""
    tls = issue_tls(folder, client=CERTIFIED, hosts=("127.0.0.1",))
    passwords = {name: f"marker-{secrets.token_hex(16)}" for name in (KEEPER, LIMITED)}
    signer = Signer()
    jwks = folder / "jwks.json"
    jwks.write_text(signer.jwks())
    known = Guard(
        tls=tls,
        users=passwords,
        superusers=(f"User:{KEEPER}", f"User:CN={CERTIFIED}", f"User:{WORKLOAD}"),
        jwks=jwks,
        audience=AUDIENCE,
    )
    return Keys(known, tls, passwords, signer)


def secured(brokers: Brokers, listener: str, **security: Any) -> dict[str, Any]:
    """Options as text for one of the guarded listeners."""
    servers = tuple(brokers.addresses(listener).split(","))
    return {"bootstrap_servers": servers, "security": security}
