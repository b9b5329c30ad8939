"""The bare work of a hand-over: parse five PKCS#12, load each key once in full, write five.

Keys and bundles like the CA's are made here.

Order: ``times``. Answers with processor seconds.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12
from cryptography.x509.oid import NameOID

from bench.worker_protocol import Answer, obey, say

KEYS = 5
ROUNDS = 2048
PASSWORD = b"Z" * 32
_ENCRYPTION = (
    PrivateFormat.PKCS12.encryption_builder()
    .kdf_rounds(ROUNDS)
    .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
    .hmac_hash(hashes.SHA256())
    .build(PASSWORD)
)


def bundle() -> bytes:
    """A new RSA-2048 key and its certificate as the CA would give them out."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ada")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return pkcs12.serialize_key_and_certificates(b"ca", key, certificate, None, _ENCRYPTION)


def work(bundles: list[bytes]) -> None:
    """Open each bundle, which loads and checks its key, and write it again."""
    for one in bundles:
        key, certificate, _ = pkcs12.load_key_and_certificates(one, PASSWORD)
        assert isinstance(key, rsa.RSAPrivateKey)
        pkcs12.serialize_key_and_certificates(b"smime", key, certificate, None, _ENCRYPTION)


async def main() -> None:
    """Work until the pipe is closed."""
    bundles = [bundle() for _ in range(KEYS)]

    async def order(wanted: dict[str, Any]) -> Answer:
        before = time.process_time()
        for _ in range(wanted["times"]):
            work(bundles)
        return {"processor_seconds": time.process_time() - before}

    say({"ready": True})
    await obey(order)


if __name__ == "__main__":
    asyncio.run(main())
