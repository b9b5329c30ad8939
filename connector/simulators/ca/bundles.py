"""PKCS#12 files of escrowed keys, honest ones."""

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12

from connector.simulators.ca.authority import Authority
from connector.simulators.ca.keys import PrivateKey
from connector.simulators.ca.registry import Escrowed


class Bundles:
    """Encodes keys with PBES2 (AES-256-CBC, HMAC-SHA-256) and a SHA-256 MAC.

    Bundles under ``fixed_password`` are encoded once per generation and kept, so that a benchmark
    measures its client and not this encoder.
    """

    def __init__(
        self, authority: Authority, *, kdf_rounds: int, fixed_password: bytes | None
    ) -> None:
        """Take the chain's source and how to encrypt."""
        self._chain = authority.chain
        self._rounds = kdf_rounds
        self._fixed = fixed_password
        self._kept: dict[str, bytes] = {}

    def encode(self, generation: Escrowed, password: bytes) -> bytes:
        """The bundle of one generation: key, certificate, issuing certificate."""
        if password != self._fixed:
            return self.pair(generation.key, generation.certificate, password)
        kept = self._kept.get(generation.fingerprint)
        if kept is None:
            kept = self.pair(generation.key, generation.certificate, password)
            self._kept[generation.fingerprint] = kept
        return kept

    def pair(self, key: PrivateKey, certificate: x509.Certificate, password: bytes) -> bytes:
        """A bundle of any key with any certificate; whether they fit is the caller's affair."""
        encryption = (
            PrivateFormat.PKCS12.encryption_builder()
            .kdf_rounds(self._rounds)
            .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
            .hmac_hash(hashes.SHA256())
            .build(password)
        )
        return pkcs12.serialize_key_and_certificates(
            None, key, certificate, self._chain, encryption
        )
