"""Pre-flight: each way of not being a usable bundle has a code, and nothing costs much."""

import contextlib

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.core.errors import ConnectorError
from connector.keys.pkcs12.cost import ITERATIONS_LIMIT
from connector.keys.pkcs12.preflight import BUNDLE_LIMIT, check_outline
from tests.keys.pkcs12.forged_pkcs12 import Forged, certificate, der, pkcs8


def code_of(bundle: bytes) -> str:
    with pytest.raises(ConnectorError) as caught:
        check_outline(bundle)
    return caught.value.code


@pytest.fixture(scope="session")
def parts(rsa_key: rsa.RSAPrivateKey) -> tuple[bytes, bytes]:
    return pkcs8(rsa_key), der(certificate(rsa_key))


@pytest.fixture(scope="session")
def proper(parts: tuple[bytes, bytes]) -> bytes:
    return Forged([parts[0]], [parts[1]]).dump()


def test_proper_bundle_passes(proper: bytes) -> None:
    """A bundle with one encrypted key passes, and the key stays encrypted."""
    assert [len(key.content) > 1000 for key in check_outline(proper).keys] == [True]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", "P12-007"),
        (b"<!doctype html><title>Sign in</title>", "P12-008"),
        (b"\xef\xbb\xbf  <?xml version='1.0'?>", "P12-008"),
        (b'{"error": "denied"}', "P12-009"),
        (b"0 results", "P12-009"),
        (b"-----BEGIN PKCS12-----\n", "P12-009"),
        (b"MIIJqQIBAzCC", "P12-009"),
        (b"\x30\x82", "P12-002"),
        (b"\x30\x03\x02\x01\x03", "P12-001"),
        (b"\x30\x80", "P12-001"),
        (b"\x30\x89" + bytes(9), "P12-001"),
        (b"\x00\x01\x02\x03", "P12-001"),
        (b"\x30\x83\x98\x96\x80" + bytes(10_000_000), "P12-003"),
        (b"\x30\x80" * 20_000, "P12-001"),
    ],
    ids=[
        *("empty", "html", "xml after a byte-order mark", "json", "text that begins like DER"),
        *("pem", "base64", "half a header", "not a PFX", "unending", "long length"),
        *("binary", "ten megabytes", "deeply nested"),
    ],
)
def test_what_is_no_bundle_is_named(answer: bytes, code: str) -> None:
    """An error page, text, nothing, or something huge is distinguished by its code."""
    assert code_of(answer) == code


def test_cut_off_bundle_is_named(proper: bytes) -> None:
    """A bundle that ends early is called cut off, wherever it ends; a longer one is refused."""
    assert {code_of(proper[:size]) for size in (4, 100, len(proper) - 1)} == {"P12-002"}
    assert code_of(proper + b"\0") == "P12-001"


def test_bundle_at_the_limit_is_still_read() -> None:
    """The limit is on bytes beyond it, so that the largest allowed answer is judged by content."""
    assert code_of(bytes(BUNDLE_LIMIT)) == "P12-001"
    assert code_of(bytes(BUNDLE_LIMIT + 1)) == "P12-003"


def test_number_of_keys_must_be_one(parts: tuple[bytes, bytes]) -> None:
    """Two keys and a key that lies open are refused, each by its code."""
    key, leaf = parts
    assert code_of(Forged([key, key], [leaf]).dump()) == "P12-005"
    assert code_of(Forged([key], [leaf], clear_keys=[key]).dump()) == "P12-012"


def test_rounds_are_capped_before_they_are_run(parts: tuple[bytes, bytes]) -> None:
    """A file that asks for 2^31 rounds is refused at once, for the key as for the MAC."""
    key, leaf = parts
    for rounds in (ITERATIONS_LIMIT + 1, 2**31, 2**70):
        assert code_of(Forged([key], [leaf], announced_rounds=rounds).dump()) == "P12-006"
        assert code_of(Forged([key], [leaf], mac_rounds=rounds).dump()) == "P12-006"


def test_bundle_without_integrity_check_is_refused(parts: tuple[bytes, bytes]) -> None:
    """A bundle without MAC could have been changed on the way; it is refused."""
    assert code_of(Forged([parts[0]], [parts[1]], mac=False).dump()) == "P12-011"


def test_oversized_key_does_not_reach_the_loader(parts: tuple[bytes, bytes]) -> None:
    """An encrypted key that is longer than RSA with 8192 bits is refused unopened."""
    assert code_of(Forged([bytes(5000)], [parts[1]]).dump()) == "KEY-204"


@settings(max_examples=300)
@given(data=st.data())
def test_damaged_bundles_raise_nothing_else(proper: bytes, data: st.DataObject) -> None:
    """With any byte changed, the answer is a bundle or a permanent fault with a code."""
    changed = bytearray(proper)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(proper) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ConnectorError):
        assert check_outline(changed).content
