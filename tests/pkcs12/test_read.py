"""Opening: the key is whole, affordable, and the one that was asked for."""

import hashlib
import subprocess
import time
import warnings
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    KeySerializationEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization import pkcs12 as library
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.core.errors import ConnectorError, Permanent
from connector.core.secret import KeyMaterial
from connector.pkcs12 import read
from connector.pkcs12.preflight import Inventory, check_outline
from connector.pkcs12.read import Expected, Identity, open_bundle
from tests.patience import SLOWNESS
from tests.pkcs12.forge import (
    Forged,
    Key,
    certificate,
    der,
    fingerprint,
    pkcs8,
    public_key,
    rsa_pkcs8,
)
from tests.pkcs12.programs import program

DATA = Path(__file__).parent.parent / "data" / "certificates"
PASSWORD = b"open sesame"
MERSENNE = (1 << 4423) - 1
"""A prime far larger than any in a key of 8192 bits."""


def expected(key: Key, *, archived: bool = False, siblings: tuple[Key, ...] = ()) -> Expected:
    leaf = certificate(key)
    return Expected(
        fingerprint=fingerprint(leaf),
        public_key=public_key(key),
        certificate=der(leaf),
        archived=archived,
        siblings=frozenset(public_key(one) for one in siblings),
    )


def opened(forged: Forged, wanted: Expected, password: bytes = PASSWORD) -> Identity:
    return open_bundle(KeyMaterial(forged.dump()), KeyMaterial(password), wanted)


def code_of(forged: Forged, wanted: Expected, password: bytes = PASSWORD) -> str:
    with pytest.raises(Permanent) as caught:
        opened(forged, wanted, password)
    return caught.value.code


def test_asked_for_generation_is_opened(rsa_key: rsa.RSAPrivateKey) -> None:
    """The key comes back with the certificate that was asked for, expired or not."""
    wanted = expected(rsa_key)
    identity = opened(Forged([pkcs8(rsa_key)], [wanted.certificate]), wanted)
    assert identity.key.private_numbers() == rsa_key.private_numbers()
    assert hashlib.sha256(identity.certificate).hexdigest() == wanted.fingerprint
    assert not identity.reissued
    assert repr(identity) == "<Identity>"


def test_elliptic_curve_key_is_opened(curve_key: ec.EllipticCurvePrivateKey) -> None:
    """Keys on the curves of S/MIME are as welcome as RSA."""
    wanted = expected(curve_key)
    identity = opened(Forged([pkcs8(curve_key)], [wanted.certificate]), wanted)
    assert public_key(identity.key) == wanted.public_key


def test_new_certificate_around_the_old_key_is_replaced(rsa_key: rsa.RSAPrivateKey) -> None:
    """When the CA re-issued, the listed certificate is attached and the fact is told."""
    wanted = expected(rsa_key)
    identity = opened(Forged([pkcs8(rsa_key)], [der(certificate(rsa_key, "Ada II"))]), wanted)
    assert identity.reissued
    assert hashlib.sha256(identity.certificate).hexdigest() == wanted.fingerprint


def test_rsa_1024_is_for_archived_slots_only(small_key: rsa.RSAPrivateKey) -> None:
    """An archived generation with 1024 bits is opened; as a current one it is refused."""
    wanted = expected(small_key, archived=True)
    forged = Forged([pkcs8(small_key)], [wanted.certificate])
    assert opened(forged, wanted).key.key_size == 1024
    assert code_of(forged, wanted._replace(archived=False)) == "KEY-207"


def test_someone_elses_key_is_refused(
    rsa_key: rsa.RSAPrivateKey, other_key: rsa.RSAPrivateKey
) -> None:
    """Another generation of the same person and another person's key have different codes."""
    forged = Forged([pkcs8(other_key)], [der(certificate(other_key))])
    assert code_of(forged, expected(rsa_key, siblings=(other_key,))) == "KEY-202"
    assert code_of(forged, expected(rsa_key)) == "KEY-206"


def test_key_that_does_not_fit_is_refused(
    rsa_key: rsa.RSAPrivateKey, other_key: rsa.RSAPrivateKey
) -> None:
    """A key beside a certificate of another key is refused, whichever of them was asked for."""
    wanted = expected(rsa_key)
    assert code_of(Forged([pkcs8(other_key)], [wanted.certificate]), wanted) == "KEY-201"
    strange = der(certificate(other_key))
    assert code_of(Forged([pkcs8(rsa_key)], [strange]), wanted) == "KEY-201"
    assert code_of(Forged([pkcs8(rsa_key)], []), wanted) == "P12-013"


def test_listed_certificate_must_be_the_approved_one(rsa_key: rsa.RSAPrivateKey) -> None:
    """A certificate that was not approved is never attached, even if the key fits it."""
    wanted = expected(rsa_key)
    swapped = wanted._replace(certificate=der(certificate(rsa_key, "Mallory")))
    assert code_of(Forged([pkcs8(rsa_key)], [wanted.certificate]), swapped) == "KEY-209"


def test_wrong_password_and_broken_mac_are_told_apart(rsa_key: rsa.RSAPrivateKey) -> None:
    """A password that does not open and a bundle changed on the way have their own codes."""
    wanted = expected(rsa_key)
    forged = Forged([pkcs8(rsa_key)], [wanted.certificate])
    assert code_of(forged, wanted, b"guess") == "P12-004"
    forged.broken_mac = True
    assert code_of(forged, wanted) == "P12-011"


def test_second_key_in_the_encrypted_part_is_found(
    rsa_key: rsa.RSAPrivateKey, other_key: rsa.RSAPrivateKey
) -> None:
    """A key hidden where only decryption shows it does not become the one that is used."""
    wanted = expected(rsa_key)
    forged = Forged([pkcs8(rsa_key)], [wanted.certificate], hidden_keys=[pkcs8(other_key)])
    assert code_of(forged, wanted) == "P12-005"


def test_hostile_numbers_cost_no_time(rsa_key: rsa.RSAPrivateKey) -> None:
    """Numbers made to keep the primality test busy are refused before it is run."""
    numbers = rsa_key.private_numbers()
    modulus, private = numbers.public_numbers.n, numbers.d
    hostile = [
        rsa_pkcs8((1 << 9000) + 1, 65537, 3, (MERSENNE, 3)),
        rsa_pkcs8(MERSENNE * 3, 65537, 65537, (MERSENNE, 3)),
        rsa_pkcs8(modulus, (1 << 40) + 1, private, (numbers.p, numbers.q)),
        rsa_pkcs8(modulus, 1, private, (numbers.p, numbers.q)),
    ]
    inconsistent = [
        rsa_pkcs8(modulus, 65537, private, (numbers.p, numbers.q + 2)),
        rsa_pkcs8(modulus, 65537, modulus + 2, (numbers.p, numbers.q)),
    ]
    wanted = expected(rsa_key)
    before = time.process_time()
    codes = [code_of(Forged([key], [wanted.certificate]), wanted) for key in hostile]
    assert set(codes) == {"KEY-204"}
    codes = [code_of(Forged([key], [wanted.certificate]), wanted) for key in inconsistent]
    assert set(codes) == {"KEY-208"}
    assert time.process_time() - before < 0.5 * SLOWNESS


def test_composite_factor_fails_the_full_check(
    rsa_key: rsa.RSAPrivateKey, small_key: rsa.RSAPrivateKey
) -> None:
    """Numbers that fit one another but hide a third factor do not pass as a key."""
    small = small_key.private_numbers()
    first, second = rsa_key.private_numbers().p, small.p * small.q
    totient = (first - 1) * (small.p - 1) * (small.q - 1)
    numbers = (first * second, 65537, pow(65537, -1, totient), (first, second))
    forged = Forged([rsa_pkcs8(*numbers)], [der(certificate(rsa_key))])
    # Archived, because the product of the two has 2047 bits as often as 2048.
    assert code_of(forged, expected(rsa_key, archived=True)) == "KEY-208"


def test_unsupported_curve_is_refused() -> None:
    """A curve that mail clients do not know is refused by its code."""
    key = ec.generate_private_key(ec.SECP256K1())
    wanted = expected(key)
    assert code_of(Forged([pkcs8(key)], [wanted.certificate]), wanted) == "KEY-203"


def test_bundle_of_the_library_is_opened_with_the_key_loaded_once(
    rsa_key: rsa.RSAPrivateKey,
) -> None:
    """Our own checks add little to the library's one full load; a second one would double it."""
    wanted = expected(rsa_key)
    protection = library.serialize_key_and_certificates(
        b"x", rsa_key, certificate(rsa_key), None, _protection()
    )
    bundle, password = KeyMaterial(protection), KeyMaterial(PASSWORD)
    bare, ours = zip(
        *(
            (
                _seconds(lambda: library.load_pkcs12(protection, PASSWORD)),
                _seconds(lambda: open_bundle(bundle, password, wanted)),
            )
            for _ in range(7)
        ),
        strict=True,
    )
    assert min(ours) < min(bare) * 1.7


def _protection() -> KeySerializationEncryption:
    builder = PrivateFormat.PKCS12.encryption_builder()
    return builder.key_cert_algorithm(library.PBES.PBESv2SHA256AndAES256CBC).build(PASSWORD)


def _seconds(work: object) -> float:
    assert callable(work)
    before = time.process_time()
    work()
    return time.process_time() - before


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_damaged_bundles_raise_nothing_but_faults(
    rsa_key: rsa.RSAPrivateKey, data: st.DataObject
) -> None:
    """Whatever byte is changed, the answer is the proper identity or a fault with a code."""
    wanted = expected(rsa_key)
    bundle = bytearray(Forged([pkcs8(rsa_key)], [wanted.certificate]).dump())
    bundle[data.draw(st.integers(0, len(bundle) - 1))] ^= data.draw(st.integers(1, 255))
    identity = _identity_or_fault(bundle, wanted)
    assert identity is None or public_key(identity.key) == wanted.public_key


def _identity_or_fault(bundle: bytearray, wanted: Expected) -> Identity | None:
    try:
        return open_bundle(KeyMaterial(bundle), KeyMaterial(PASSWORD), wanted)
    except ConnectorError:
        return None


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
