"""PKCS#12 files as a careless or hostile CA would write them (RFC 7292, by hand)."""

import datetime as dt
import hashlib
import hmac
import os
from dataclasses import dataclass, field

from asn1crypto import algos, cms, core, keys, pkcs12
from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

from connector_testkit.simulators.ca.shapes import tlv

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
CERTIFICATE_BAG = bytes.fromhex("060b2a864886f70d010c0a0103")
X509 = bytes.fromhex("060a2a864886f70d01091601")
ISSUED = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def certificate(key: Key, name: str = "Ada", *, issuer: Key | None = None) -> x509.Certificate:
    """A certificate of ``key`` that expired in 2021."""
    builder = x509.CertificateBuilder().subject_name(_name(name)).public_key(key.public_key())
    builder = builder.issuer_name(_name("CA" if issuer else name))
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(ISSUED).not_valid_after(ISSUED + dt.timedelta(days=365))
    return builder.sign(issuer or key, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def der(one: x509.Certificate) -> bytes:
    return one.public_bytes(Encoding.DER)


def fingerprint(one: x509.Certificate) -> str:
    return hashlib.sha256(der(one)).hexdigest()


def public_key(one: x509.Certificate | Key) -> str:
    public = one.public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


def pkcs8(key: Key) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def rsa_pkcs8(modulus: int, exponent: int, private: int, primes: tuple[int, int]) -> bytes:
    """PKCS#8 of unchecked RSA numbers."""
    first, second = primes
    inner = keys.RSAPrivateKey(
        {
            "version": "two-prime",
            "modulus": modulus,
            "public_exponent": exponent,
            "private_exponent": private,
            "prime1": first,
            "prime2": second,
            "exponent1": private % (first - 1),
            "exponent2": private % (second - 1),
            "coefficient": pow(second, -1, first) if first != second else 1,
        }
    )
    algorithm = {"algorithm": "rsa", "parameters": core.Null()}
    wrapped = {"version": 0, "private_key_algorithm": algorithm, "private_key": inner}
    return bytes(keys.PrivateKeyInfo(wrapped).dump())


@dataclass
class Forged:
    """A bundle to be written; the defaults make a proper one out of keys and certificates."""

    keys: list[bytes]
    certificates: list[bytes]
    password: bytes = b"open sesame"
    rounds: int = 2
    announced_rounds: int | None = None
    mac_rounds: int = 2
    mac: bool = True
    broken_mac: bool = False
    clear_keys: list[bytes] = field(default_factory=list)
    hidden_keys: list[bytes] = field(default_factory=list)

    def dump(self) -> bytes:
        bags = [self._shrouded(one) for one in self.keys]
        bags += [_bag("key_bag", keys.PrivateKeyInfo.load(one)) for one in self.clear_keys]
        hidden = [_bag("key_bag", keys.PrivateKeyInfo.load(one)) for one in self.hidden_keys]
        contents = [self._encrypted(pkcs12.SafeContents(hidden).dump())] if hidden else []
        contents += [_data(pkcs12.SafeContents(bags).dump())]
        contents += [self._encrypted(_certificate_bags(self.certificates))]
        safe = pkcs12.AuthenticatedSafe(contents).dump()
        fields = {"version": "v3", "auth_safe": _data(safe)}
        if self.mac:
            fields["mac_data"] = self._mac(safe)
        return bytes(pkcs12.Pfx(fields).dump())

    def _shrouded(self, one: bytes) -> pkcs12.SafeBag:
        algorithm, encrypted = self._encrypt(one)
        info = {"encryption_algorithm": algorithm, "encrypted_data": encrypted}
        return _bag("pkcs8_shrouded_key_bag", keys.EncryptedPrivateKeyInfo(info))

    def _encrypted(self, bags: bytes) -> cms.ContentInfo:
        algorithm, encrypted = self._encrypt(bags)
        info = {
            "content_type": "data",
            "content_encryption_algorithm": algorithm,
            "encrypted_content": encrypted,
        }
        content = cms.EncryptedData({"version": "v0", "encrypted_content_info": info})
        return cms.ContentInfo({"content_type": "encrypted_data", "content": content})

    def _encrypt(self, plain: bytes) -> tuple[algos.EncryptionAlgorithm, bytes]:
        salt, vector = os.urandom(8), os.urandom(16)
        key = hashlib.pbkdf2_hmac("sha256", self.password, salt, self.rounds, 32)
        padder = padding.PKCS7(128).padder()
        cipher = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
        encrypted = cipher.update(padder.update(plain) + padder.finalize()) + cipher.finalize()
        derivation = {
            "salt": core.OctetString(salt),
            "iteration_count": self.announced_rounds or self.rounds,
            "prf": {"algorithm": "sha256", "parameters": core.Null()},
        }
        parameters = {
            "key_derivation_func": {"algorithm": "pbkdf2", "parameters": derivation},
            "encryption_scheme": {"algorithm": "aes256_cbc", "parameters": vector},
        }
        return algos.EncryptionAlgorithm(
            {"algorithm": "pbes2", "parameters": parameters}
        ), encrypted

    def _mac(self, safe: bytes) -> pkcs12.MacData:
        salt = os.urandom(8)
        rounds = min(self.mac_rounds, 10)
        key = _mac_key(self.password, salt, rounds)
        digest = hmac.digest(key, safe + (b"!" if self.broken_mac else b""), "sha256")
        mac = {
            "digest_algorithm": {"algorithm": "sha256", "parameters": core.Null()},
            "digest": digest,
        }
        return pkcs12.MacData({"mac": mac, "mac_salt": salt, "iterations": self.mac_rounds})


def _data(content: bytes) -> cms.ContentInfo:
    return cms.ContentInfo({"content_type": "data", "content": core.OctetString(content)})


def _bag(kind: str, value: core.Asn1Value) -> pkcs12.SafeBag:
    return pkcs12.SafeBag({"bag_id": kind, "bag_value": value})


def _certificate_bags(certificates: list[bytes]) -> bytes:
    """Safe contents whose certificates are mere octets; the library's types would parse them."""
    return tlv(
        0x30,
        *(
            tlv(0x30, CERTIFICATE_BAG, tlv(0xA0, tlv(0x30, X509, tlv(0xA0, tlv(0x04, one)))))
            for one in certificates
        ),
    )


def _mac_key(password: bytes, salt: bytes, rounds: int) -> bytes:
    """RFC 7292 appendix B.2 with ID 3, SHA-256, for a key of one digest's length."""
    block = 64
    text = password.decode().encode("utf-16-be") + b"\0\0"
    start = b"\x03" * block + _filled(salt, block) + _filled(text, block)
    digest = hashlib.sha256(start).digest()
    for _ in range(rounds - 1):
        digest = hashlib.sha256(digest).digest()
    return digest


def _filled(part: bytes, block: int) -> bytes:
    size = block * -(-len(part) // block)
    return (part * -(-size // len(part)))[:size]
