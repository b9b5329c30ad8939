"""Encrypted backups: for the key alone, whole or refused, and readable by OpenSSL."""

import subprocess
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from connector.core.errors import Permanent
from connector.journal.sealing import PIECE, is_sealed, private_key, public_key, seal, unseal

OURS = rsa.generate_private_key(65537, 2048)
THEIRS = rsa.generate_private_key(65537, 2048)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return written(tmp_path / "private.pem", OURS)


def written(file: Path, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> Path:
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return file


def sealed(folder: Path, content: bytes) -> Path:
    (folder / "plain").write_bytes(content)
    (folder / "sealed").touch()
    seal(folder / "plain", folder / "sealed", OURS.public_key())
    return folder / "sealed"


@pytest.mark.parametrize("size", [0, 1, 127, 128, 70_000, PIECE, 2 * PIECE + 5])
def test_what_was_encrypted_comes_back(tmp_path: Path, size: int) -> None:
    """Of any size, with lengths of one byte and of several."""
    content = bytes(range(251)) * (size // 251 + 1)
    file = sealed(tmp_path, content[:size])
    assert is_sealed(file)
    unseal(file, tmp_path / "opened", OURS)
    assert (tmp_path / "opened").read_bytes() == content[:size]


def test_openssl_opens_it(tmp_path: Path, key: Path, needs: Callable[[str], None]) -> None:
    """So that no version of this program is needed for it."""
    needs("openssl")
    content = b"journal" * 100_000
    file, opened = sealed(tmp_path, content), tmp_path / "opened"
    command = ("openssl", "cms", "-decrypt", "-binary", "-inform", "DER")
    subprocess.run(
        (*command, "-in", str(file), "-inkey", str(key), "-out", str(opened)), check=True
    )
    assert opened.read_bytes() == content


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    """Wherever a byte differs, at each cut, and with bytes behind its end."""
    file = sealed(tmp_path, b"x" * 300)
    whole = file.read_bytes()
    changed = [
        *(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole))),
        *(whole[:end] for end in range(0, len(whole), 7)),
        whole + b"\0",
    ]
    for data in changed:
        file.write_bytes(data)
        with pytest.raises(Permanent) as refused:
            unseal(file, tmp_path / "opened", OURS)
        assert refused.value.code == "JRN-018"


def test_another_key_does_not_open_it(tmp_path: Path) -> None:
    """Nor one that pretends to be the recipient."""
    file = sealed(tmp_path, b"x")
    with pytest.raises(Permanent, match="not made for this key"):
        unseal(file, tmp_path / "opened", THEIRS)


def test_keys_that_cannot_be_used(tmp_path: Path, key: Path) -> None:
    """Said with the file and what it should be; a certificate is as good as a key."""
    curve = written(tmp_path / "curve.pem", ec.generate_private_key(ec.SECP256R1()))
    locked = tmp_path / "locked.pem"
    how = BestAvailableEncryption(b"passphrase")
    locked.write_bytes(OURS.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how))
    public = tmp_path / "public.pem"
    form = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    public.write_bytes(OURS.public_key().public_bytes(*form))
    short = tmp_path / "short.pem"
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - to be refused
    short.write_bytes(weak.public_key().public_bytes(*form))
    assert public_key(public).public_numbers() == OURS.public_key().public_numbers()
    assert private_key(key).private_numbers() == OURS.private_numbers()
    for read, file in ((public_key, key), (public_key, short), (private_key, locked)):
        with pytest.raises(Permanent, match="CFG-003"):
            read(file)
    with pytest.raises(Permanent, match="no RSA key"):
        private_key(curve)


def test_memory_is_bounded(tmp_path: Path) -> None:
    """A journal may have gigabytes; what is held of it does not grow with it."""
    with (tmp_path / "plain").open("wb") as stream:
        stream.truncate(48 * PIECE)
    (tmp_path / "sealed").touch()
    tracemalloc.start()
    try:
        seal(tmp_path / "plain", tmp_path / "sealed", OURS.public_key())
        unseal(tmp_path / "sealed", tmp_path / "opened", OURS)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 6 * PIECE
