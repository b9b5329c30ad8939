"""A broker as a client sees it when answers get lost: a proxy in front of a real one.

It looks at the API key of each request (protocol guide, "Request Header": size, key) and puts its
own port in place of the broker's where an answer names it, so that clients stay with it.
"""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

END_TXN = 26
PRODUCE = 0
HOST = "127.0.0.1"


class Proxy:
    """What it does with requests can be changed at any time.

    ``deaf``: API keys of requests that never reach the broker; ``mute``: of requests whose answers
    never reach the client. ``swallowed`` is set when one of either was.
    """

    def __init__(self, port: int) -> None:
        self.deaf: frozenset[int] = frozenset()
        self.mute: frozenset[int] = frozenset()
        self.swallowed = asyncio.Event()
        self.port = 0
        self._broker = port

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client, until either side ends it."""
        to_broker = await asyncio.open_connection(HOST, self._broker)
        silenced: set[int] = set()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._requests(reader, to_broker[1], silenced))
                group.create_task(self._answers(to_broker[0], writer, silenced))
        except* (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            to_broker[1].close()
            writer.close()

    async def _requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, silenced: set[int]
    ) -> None:
        while True:
            frame = await _frame(reader)
            key, _, correlation = struct.unpack_from(">hhi", frame)
            if key in self.deaf:
                self.swallowed.set()
                continue
            if key in self.mute:
                silenced.add(correlation)
            writer.write(struct.pack(">i", len(frame)) + frame)
            await writer.drain()

    async def _answers(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, silenced: set[int]
    ) -> None:
        real, ours = (HOST.encode() + struct.pack(">i", p) for p in (self._broker, self.port))
        while True:
            frame = await _frame(reader)
            if struct.unpack_from(">i", frame)[0] in silenced:
                self.swallowed.set()
                continue
            frame = frame.replace(real, ours)
            writer.write(struct.pack(">i", len(frame)) + frame)
            await writer.drain()


async def _frame(reader: asyncio.StreamReader) -> bytes:
    (size,) = struct.unpack(">i", await reader.readexactly(4))
    return await reader.readexactly(size)


@asynccontextmanager
async def proxied(address: str) -> AsyncIterator[Proxy]:
    """A proxy in front of the broker at ``host:port``."""
    proxy = Proxy(int(address.rpartition(":")[2]))
    server = await asyncio.start_server(proxy.serve, HOST, 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await server.wait_closed()
