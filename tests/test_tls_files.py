"""Certificates and keys in mounted files: what does not load is named by its file."""

import os
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from connector.certificates.issuance import TrustedIssuers
from connector.core.errors import Permanent
from connector.tls_files import client_context, first_certificate, load_pair
from connector_testkit.simulators.tls import TlsFiles, issue_tls


@pytest.fixture
def files(tmp_path: Path) -> TlsFiles:
    return issue_tls(tmp_path)


def refusal(load: Callable[[], object], *named: Path) -> None:
    with pytest.raises(Permanent) as caught:
        load()
    assert caught.value.code == "CFG-003"
    assert all(str(file) in caught.value.detail for file in named)


def test_issuers_that_cannot_be_loaded_are_named(files: TlsFiles, tmp_path: Path) -> None:
    """A file that is missing, and one without a certificate."""
    refusal(lambda: client_context(tmp_path / "none.pem"), tmp_path / "none.pem")
    refusal(lambda: client_context(files.key), files.key)
    assert client_context(files.ca).get_ca_certs()


def test_a_pair_that_cannot_be_loaded_is_named(files: TlsFiles, tmp_path: Path) -> None:
    """A key that is missing, of another certificate, or encrypted; no terminal is asked for it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    other = issue_tls(tmp_path / "other").key
    encrypted = tmp_path / "encrypted.key"
    encrypted.write_bytes(
        load_pem_private_key(files.key.read_bytes(), None).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
        )
    )
    refusal(
        partial(load_pair, context, files.certificate, tmp_path / "none.key"), tmp_path / "none.key"
    )
    for key in (other, encrypted):
        refusal(partial(load_pair, context, files.certificate, key), files.certificate, key)
    load_pair(context, files.certificate, files.key)


def test_issuers_are_found_among_comments_in_any_script(files: TlsFiles, tmp_path: Path) -> None:
    """As the bundles of distributions have them, with a byte order mark or without."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes("\ufeff# F\u0151tan\xfas\xedtv\xe1ny\n".encode() + files.ca.read_bytes())
    assert client_context(bundle).get_ca_certs() == client_context(files.ca).get_ca_certs()


@pytest.mark.parametrize("read", [first_certificate, TrustedIssuers.from_file, client_context])
def test_certificates_are_read_as_all_mounted_files(
    read: Callable[[Path], object], files: TlsFiles, tmp_path: Path
) -> None:
    """A pipe without a writer would keep the reader waiting; what others may write is theirs."""
    assert read(files.certificate)
    os.mkfifo(tmp_path / "pipe")
    refusal(lambda: read(tmp_path / "pipe"), tmp_path / "pipe")
    files.ca.chmod(0o666)
    refusal(lambda: read(files.ca), files.ca)


def test_a_pair_is_read_as_all_mounted_files(files: TlsFiles, tmp_path: Path) -> None:
    """The certificate and the key, each by itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    os.mkfifo(tmp_path / "pipe")
    refusal(lambda: load_pair(context, tmp_path / "pipe", files.key), tmp_path / "pipe")
    refusal(lambda: load_pair(context, files.certificate, tmp_path / "pipe"), tmp_path / "pipe")
    for file in (files.certificate, files.key):
        before = file.stat().st_mode
        file.chmod(0o666)
        refusal(lambda: load_pair(context, files.certificate, files.key), file)
        file.chmod(before)
    load_pair(context, files.certificate, files.key)
