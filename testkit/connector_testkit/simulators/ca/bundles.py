"""PKCS#12 files of escrowed keys, honest ones."""

from random import Random

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12

from connector.keys.pkcs12.compose import MODERN, Parts, compose
from connector_testkit.simulators.ca.authority import Authority
from connector_testkit.simulators.ca.keys import PrivateKey
from connector_testkit.simulators.ca.problems import Refusal
from connector_testkit.simulators.ca.registry import Escrowed


class Bundles:
    """Encodes keys with PBES2 (AES-256-CBC, HMAC-SHA-256) and a SHA-256 MAC.

    Bundles under ``fixed_password`` are encoded once per generation and kept, so that a benchmark
    measures its client and not this encoder.
    """

    def __init__(
        self, authority: Authority, dice: Random, *, kdf_rounds: int, fixed_password: bytes | None
    ) -> None:
        """Take the chain's source, chance for salts, and how to encrypt."""
        self._dice = dice
        self._chain = authority.chain
        self._rounds = kdf_rounds
        self._fixed = fixed_password
        self._kept: dict[str, bytes] = {}

    def encode(self, generation: Escrowed, password: bytes) -> bytes:
        """The bundle of one generation: key, certificate, issuing certificate."""
        if password != self._fixed:
            return self._whole(generation, password)
        kept = self._kept.get(generation.fingerprint)
        if kept is None:
            kept = self._whole(generation, password)
            self._kept[generation.fingerprint] = kept
        return kept

    def _whole(self, generation: Escrowed, password: bytes) -> bytes:
        """One generation; in a shape that the library may not read without its issuer."""
        if generation.order.shape is None:
            return self._written(generation.key, generation.certificate, self._chain, password)
        key, certificate = generation.key, generation.der
        if isinstance(key, ed25519.Ed25519PrivateKey):
            raise Refusal("not_recoverable")
        return compose(Parts(b"smime", key, certificate), MODERN, password, self._dice.randbytes)

    def misfit(self, key: PrivateKey, certificate: x509.Certificate, password: bytes) -> bytes:
        """A bundle whose key is not the certificate's.

        The library refuses to write such a pair, so the certificate goes where issuers are; nothing
        in the file format tells the two apart but a local key id, which readers do not rely on.
        """
        return self._written(key, None, (certificate, *self._chain), password)

    def _written(
        self,
        key: PrivateKey,
        certificate: x509.Certificate | None,
        others: tuple[x509.Certificate, ...],
        password: bytes,
    ) -> bytes:
        encryption = (
            PrivateFormat.PKCS12.encryption_builder()
            .kdf_rounds(self._rounds)
            .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
            .hmac_hash(hashes.SHA256())
            .build(password)
        )
        return pkcs12.serialize_key_and_certificates(None, key, certificate, others, encryption)
