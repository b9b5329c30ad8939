"""The port of probes and metrics while a stranger holds connections to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from connector.observe.connections import Connections
from tests.patience import PATIENCE

MOST = 4
QUICK, NEVER = 0.05, 3600.0


@asynccontextmanager
async def _listening(first_request: float) -> AsyncIterator[int]:
    async def answer(_request: web.BaseRequest) -> web.Response:
        return web.Response(text="ok")

    runner = web.ServerRunner(Connections(answer, most=MOST, first_request=first_request))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def _held(stack: AsyncExitStack, port: int, sent: bytes) -> asyncio.StreamReader:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    stack.callback(writer.close)
    writer.write(sent)
    await writer.drain()
    return reader


async def _probed(port: int) -> str:
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"http://127.0.0.1:{port}/livez") as answer,
    ):
        return await answer.text()


async def _ended(reader: asyncio.StreamReader) -> None:
    """Return when the connection has ended, also with a reset."""
    with contextlib.suppress(ConnectionError):
        while await reader.read(100):
            pass


WHOLE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
HALF = b"GET /livez HTTP/1.1\r\nHost: x\r\nX: "


@pytest.mark.parametrize("sent", [b"", HALF, WHOLE])
async def test_a_probe_passes_while_a_stranger_holds_connections(sent: bytes) -> None:
    """With half a request, a whole one, or none: the oldest of them makes room."""
    async with _listening(NEVER) as port, AsyncExitStack() as stack, asyncio.timeout(PATIENCE):
        held = [await _held(stack, port, sent) for _ in range(3 * MOST)]
        assert await _probed(port) == "ok"
        for reader in held[: 2 * MOST]:
            await _ended(reader)


async def test_one_that_asks_stays_while_others_are_silent() -> None:
    """Prometheus keeps its connection."""
    async with _listening(NEVER) as port, AsyncExitStack() as stack, asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        stack.callback(writer.close)
        for _ in range(3):
            writer.write(WHOLE)
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
            silent = [await _held(stack, port, HALF) for _ in range(2 * MOST)]
            await _ended(silent[0])


@pytest.mark.parametrize("sent", [b"", HALF])
async def test_only_a_first_request_has_a_short_time(sent: bytes) -> None:
    """One that was answered outlives another that came later and stays silent."""
    async with _listening(QUICK) as port, AsyncExitStack() as stack, asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        stack.callback(writer.close)
        writer.write(WHOLE)
        await reader.readuntil(b"ok")
        await _ended(await _held(stack, port, sent))
        writer.write(WHOLE)
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
