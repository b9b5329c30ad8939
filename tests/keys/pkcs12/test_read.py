"""Opening: the key is whole, affordable, and the one that was asked for."""

import hashlib
import time

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    KeySerializationEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization import pkcs12 as library
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.core.errors import ConnectorError
from connector.core.key_material import KeyMaterial
from connector.keys.pkcs12.read import Expected, Identity, open_bundle
from tests.keys.pkcs12.forged_pkcs12 import (
    Forged,
    certificate,
    der,
    pkcs8,
    public_key,
    rsa_pkcs8,
)
from tests.keys.pkcs12.opening import PASSWORD, code_of, expected, opened
from tests.patience import SLOWNESS

MERSENNE = (1 << 4423) - 1
"""A prime far larger than any in a key of 8192 bits."""


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
    """When the CA re-issued, the listed certificate is attached and the fact is reported."""
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


@settings(max_examples=60)
@given(data=st.data())
def test_damaged_bundles_raise_nothing_but_faults(
    rsa_key: rsa.RSAPrivateKey, data: st.DataObject
) -> None:
    """With any byte changed, the answer is the proper identity or a fault with a code."""
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
