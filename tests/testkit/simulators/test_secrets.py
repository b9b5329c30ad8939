"""Throw-away secrets are of the form that the connector asks for."""

import ssl
from pathlib import Path

from connector.mounted import read_secret, signing_key
from connector.tls_files import client_context, load_pair
from connector_testkit.simulators.secrets import SIGNING, TEXTS, write_secrets


def test_each_can_be_read_as_what_it_is(tmp_path: Path) -> None:
    """And is another one at each call."""
    write_secrets(tmp_path, ("127.0.0.1",))
    first = [read_secret(tmp_path / name).reveal() for name in TEXTS]
    assert len(set(first)) == len(TEXTS)
    assert len(signing_key(read_secret(tmp_path / SIGNING))) == 32
    load_pair(
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
        tmp_path / "tls" / "tls.crt",
        tmp_path / "tls" / "tls.key",
    )
    assert client_context(tmp_path / "tls" / "ca.pem").get_ca_certs()
    write_secrets(tmp_path, ("127.0.0.1",))
    assert [read_secret(tmp_path / name).reveal() for name in TEXTS] != first
    for name in (*TEXTS, SIGNING, "tls/tls.key"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
