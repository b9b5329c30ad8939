"""The listener's certificate: TLS 1.2 or newer, replaced while it runs."""

import asyncio
import shutil
import ssl
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from connector.core.errors import Permanent
from connector.sources.tenants import Listener
from connector.sources.tls import ServerCertificate
from connector.wiring.clock import MachineClock
from connector_testkit.simulators.tls import TlsFiles, issue_tls
from tests.patience import PATIENCE
from tests.sources.world import Tally, World, basic, serving


def listener(files: TlsFiles) -> Listener:
    return Listener("127.0.0.1", 0, certificate=files.certificate, key=files.key)


async def served_certificate(world: World, ca: Path) -> bytes:
    """The certificate of a new connection, verified against ``ca``."""
    context = ssl.create_default_context(cafile=str(ca))
    _, writer = await asyncio.open_connection("127.0.0.1", world.server.port, ssl=context)
    transport = writer.transport.get_extra_info("ssl_object")
    assert isinstance(transport, ssl.SSLObject)
    certificate = transport.getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    assert certificate is not None
    return certificate


async def test_webhooks_are_taken_over_tls(tmp_path: Path) -> None:
    """A verified connection carries the console's test."""
    files = issue_tls(tmp_path / "tls")
    context = ssl.create_default_context(cafile=str(files.ca))
    async with serving(tmp_path, listener=listener(files)) as world:
        url = world.url().replace("http:", "https:")
        async with world.client.get(url, headers=basic(), ssl=context) as answer:
            assert answer.status == 200


async def test_plain_http_is_not_spoken(tmp_path: Path) -> None:
    """Plain HTTP gets no answer."""
    files = issue_tls(tmp_path / "tls")
    async with serving(tmp_path, listener=listener(files)) as world:
        with pytest.raises(aiohttp.ClientError):
            await world.client.get(world.url(), headers=basic())


async def test_old_protocol_versions_are_refused(tmp_path: Path) -> None:
    """TLS 1.1 ends in the handshake."""
    files = issue_tls(tmp_path / "tls")
    context = ssl.create_default_context(cafile=str(files.ca))
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with serving(tmp_path, listener=listener(files)) as world:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", world.server.port, ssl=context)


async def test_replaced_files_are_served_without_a_restart(tmp_path: Path) -> None:
    """New connections get the new certificate; the one that is open goes on."""
    files = issue_tls(tmp_path / "tls")
    old = tmp_path / "old-ca.pem"
    shutil.copy(files.ca, old)
    async with serving(tmp_path, listener=listener(files)) as world:
        first = await served_certificate(world, old)
        url = world.url().replace("http:", "https:")
        context = ssl.create_default_context(cafile=str(old))
        async with world.client.get(url, headers=basic(), ssl=context) as answer:
            assert answer.status == 200
        issue_tls(tmp_path / "tls")
        async with asyncio.timeout(PATIENCE):
            while not world.tally.reloads or not world.tally.reloads[-1]:
                world.tally.reloaded.clear()
                await world.tally.reloaded.wait()
        assert await served_certificate(world, files.ca) != first
        async with world.client.get(url, headers=basic(), ssl=context) as answer:
            assert answer.status == 200


async def test_mounted_secret_is_followed_through_its_link(tmp_path: Path) -> None:
    """Kubernetes renames a symbolic link beside the files; that is seen as well."""
    mount = tmp_path / "mount"
    for name in ("..1", "..2"):
        issue_tls(mount / name)
    (mount / "..data").symlink_to("..1")
    for name in ("server.pem", "server.key"):
        (mount / name).symlink_to(f"..data/{name}")
    mounted = Listener("127.0.0.1", 0, certificate=mount / "server.pem", key=mount / "server.key")
    async with serving(tmp_path, listener=mounted) as world:
        await served_certificate(world, mount / "..1" / "ca.pem")
        (mount / "..data_tmp").symlink_to("..2")
        (mount / "..data_tmp").rename(mount / "..data")
        async with asyncio.timeout(PATIENCE):
            await world.tally.reloaded.wait()
        await served_certificate(world, mount / "..2" / "ca.pem")


def test_bad_pair_changes_nothing_and_is_reported(tmp_path: Path) -> None:
    """A half-written file and a key of another certificate are refused; the old pair stays."""
    files = issue_tls(tmp_path / "tls")
    tally = Tally()
    certificate = ServerCertificate(files.certificate, files.key, tally, MachineClock())
    whole = files.certificate.read_bytes()
    other = issue_tls(tmp_path / "other")
    for content in (b"", whole[: len(whole) // 2], other.certificate.read_bytes()):
        files.certificate.write_bytes(content)
        assert not certificate.reload()
    files.certificate.write_bytes(whole)
    assert certificate.reload()
    assert tally.reloads == [False, False, False, True]


def test_an_expired_pair_is_not_taken_up(tmp_path: Path) -> None:
    """Files that are rolled back leave the listener with the certificate that still counts."""
    files, tally = issue_tls(tmp_path / "tls"), Tally()
    certificate = ServerCertificate(files.certificate, files.key, tally, MachineClock())
    issue_tls(tmp_path / "tls", ends=datetime(2020, 1, 1, tzinfo=UTC))
    assert not certificate.reload()
    issue_tls(tmp_path / "tls")
    assert certificate.reload()
    assert tally.reloads == [False, True]


def test_first_pair_must_be_good(tmp_path: Path) -> None:
    """Without a certificate the service does not start, and says which setting it is about."""
    with pytest.raises(Permanent) as caught:
        ServerCertificate(tmp_path / "none.pem", tmp_path / "none.key", Tally(), MachineClock())
    assert caught.value.code == "CFG-003"
