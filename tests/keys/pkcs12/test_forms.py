"""Forms of bundles that are rare and right: old ciphers, odd contents, keys in encrypted parts."""

import subprocess
import warnings
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12 as library

from connector.core.errors import Permanent
from connector.core.key_material import KeyMaterial
from connector.keys.pkcs12 import read
from connector.keys.pkcs12.preflight import Inventory, check_outline
from connector.keys.pkcs12.read import Expected, open_bundle
from tests.keys.pkcs12.forged_pkcs12 import (
    Forged,
    der,
    fingerprint,
    pkcs8,
    public_key,
)
from tests.keys.pkcs12.opening import PASSWORD, code_of, expected, opened
from tests.keys.pkcs12.programs import program

DATA = Path(__file__).parents[2] / "data" / "certificates"


@pytest.mark.parametrize("scheme", ["PBE-SHA1-2DES", "PBE-SHA1-RC2-128", "PBE-SHA1-RC2-40"])
def test_every_accepted_cipher_is_opened(tmp_path: Path, scheme: str) -> None:
    """What passes the pre-flight also opens, in all forms that openssl wrote by default once."""
    key, leaf, bundle = (tmp_path / name for name in ("key.pem", "leaf.pem", "bundle.p12"))
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Ada", "-keyout", key]
    _openssl(*made, "-out", leaf)
    _openssl(
        *("pkcs12", "-export", "-inkey", key, "-in", leaf, "-out", bundle, "-legacy"),
        *("-keypbe", scheme, "-certpbe", scheme, "-passout", "pass:test"),
    )
    certificate = x509.load_pem_x509_certificate(leaf.read_bytes())
    wanted = Expected(fingerprint(certificate), public_key(certificate), der(certificate))
    identity = open_bundle(KeyMaterial(bundle.read_bytes()), KeyMaterial(b"test"), wanted)
    assert identity.certificate == wanted.certificate


def _openssl(*arguments: object) -> None:
    subprocess.run([program("openssl"), *map(str, arguments)], check=True, capture_output=True)


def test_a_bundle_of_two_key_triple_des_is_opened() -> None:
    """One that openssl wrote; the right password is not called a wrong one."""
    bundle = (DATA / "two-key-3des-password-test.p12").read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        opened = library.load_pkcs12(bundle, b"test")
    assert opened.cert is not None
    certificate = opened.cert.certificate
    wanted = Expected(fingerprint(certificate), public_key(certificate), der(certificate))
    assert open_bundle(KeyMaterial(bundle), KeyMaterial(b"test"), wanted).key.key_size >= 2048
    with pytest.raises(Permanent, match="P12-004"):
        open_bundle(KeyMaterial(bundle), KeyMaterial(b"guess"), wanted)


def test_the_key_may_lie_inside_the_encrypted_part(rsa_key: rsa.RSAPrivateKey) -> None:
    """RFC 7292 sections 4.1 and 4.2 allow it; no key at all and a wrong password stay refused."""
    wanted = expected(rsa_key)
    forged = Forged([], [wanted.certificate], hidden_keys=[pkcs8(rsa_key)])
    assert opened(forged, wanted).key.private_numbers() == rsa_key.private_numbers()
    assert code_of(forged, wanted, b"guess") == "P12-004"
    forged.broken_mac = True
    assert code_of(forged, wanted) == "P12-011"
    assert code_of(Forged([], [wanted.certificate]), wanted) == "P12-005"


def test_what_was_decrypted_does_not_show_itself(rsa_key: rsa.RSAPrivateKey) -> None:
    """Neither a key nor the password is in the representation of what is held on the way."""
    key = pkcs8(rsa_key)
    outline = check_outline(Forged([], [], hidden_keys=[key]).dump())
    inside = read._inside(outline, PASSWORD)
    stock = Inventory(clear_keys=[key])
    assert inside.keys == [(key, None)]
    assert [repr(key)[2:40] in text for text in map(repr, (inside, stock, outline))] == [False] * 3


def test_an_odd_enclosed_certificate_is_no_tampering(
    rsa_key: rsa.RSAPrivateKey, other_key: rsa.RSAPrivateKey
) -> None:
    """The MAC is proven by itself; an enclosed certificate is only compared, if it can be read."""
    odd = (DATA / "root-with-critical-false.der").read_bytes()
    wanted = expected(rsa_key)
    for enclosed in ([wanted.certificate, odd], [odd, wanted.certificate], [b"garbage"]):
        assert not opened(Forged([pkcs8(rsa_key)], enclosed), wanted).reissued
    assert code_of(Forged([pkcs8(other_key)], [b"garbage"]), wanted) == "KEY-206"
    assert code_of(Forged([pkcs8(rsa_key)], [odd]), wanted) == "KEY-201"
