"""The throw-away PKI, judged by OpenSSL's strict checks on a real loopback connection."""

import asyncio
import ssl
import stat
from pathlib import Path

import pytest

from connector_testkit.simulators.tls import TlsFiles, issue_tls


def contexts(files: TlsFiles) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's and the client's context, both verifying strictly."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.certificate, files.key)
    server.load_verify_locations(files.ca)
    server.verify_mode = ssl.CERT_REQUIRED
    client = ssl.create_default_context(cafile=str(files.ca))
    assert files.client_certificate is not None
    client.load_cert_chain(files.client_certificate, files.client_key)
    for context in (server, client):
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    return server, client


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_strict_mutual_tls_is_accepted(tmp_path: Path, host: str) -> None:
    """Both sides verify the other strictly, and the server learns the client's common name."""
    server_context, client_context = contexts(issue_tls(tmp_path, client="connector"))
    seen: asyncio.Queue[dict[str, tuple[tuple[tuple[str, str], ...], ...]]] = asyncio.Queue()

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.put_nowait(writer.get_extra_info("peercert"))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=server_context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=client_context, server_hostname=host
        )
        assert await reader.read() == b""
        writer.close()
        peer = await seen.get()
    assert peer["subject"] == ((("commonName", "connector"),),)


def test_keys_are_readable_by_the_owner_only(tmp_path: Path) -> None:
    """Key files have mode 0600, also when they replace a file with a wider mode."""
    (tmp_path / "server.key").write_text("")
    (tmp_path / "server.key").chmod(0o644)
    files = issue_tls(tmp_path, client="connector")
    assert files.client_key is not None
    for key in (files.key, files.client_key):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_no_client_certificate_unless_asked_for(tmp_path: Path) -> None:
    """Without a client name only the server's files exist."""
    files = issue_tls(tmp_path)
    assert files.client_certificate is None
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "ca.pem",
        "server.key",
        "server.pem",
    ]
