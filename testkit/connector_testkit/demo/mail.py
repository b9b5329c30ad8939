"""Mails of the demo: encrypted to a certificate by the openssl command line, before any device."""

import shutil
import subprocess
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.serialization import pkcs7


class MailWriter:
    """Encrypts with openssl, or with ``cryptography`` where openssl is missing."""

    def __init__(self) -> None:
        self._openssl = shutil.which("openssl")

    @property
    def tool(self) -> str:
        """What encrypts."""
        return "the openssl command line" if self._openssl else "cryptography (openssl is missing)"

    def encrypt(self, text: str, certificate: str, folder: Path) -> bytes:
        """An S/MIME message (RFC 8551) with AES-256 for the PEM ``certificate``."""
        if self._openssl is None:
            recipient = x509.load_pem_x509_certificate(certificate.encode())
            return (
                pkcs7.PKCS7EnvelopeBuilder()
                .set_data(text.encode())
                .set_content_encryption_algorithm(algorithms.AES256)
                .add_recipient(recipient)
                .encrypt(serialization.Encoding.SMIME, [])
            )
        recipient_file = folder / "recipient.pem"
        recipient_file.write_text(certificate, encoding="ascii")
        done = subprocess.run(
            [self._openssl, "cms", "-encrypt", "-aes256", str(recipient_file)],
            input=text.encode(),
            capture_output=True,
            check=True,
            timeout=20,
        )
        return done.stdout
