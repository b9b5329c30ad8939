"""What stands before the pods as a Service of Kubernetes does: one address, any of them behind it.

It knows nothing of health and looks into nothing, so a connection may end at a pod that is gone or
stands still; and each lives for a few seconds only, so that some are cut in the middle of a request
and the sender cannot know what became of it.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from random import Random
from typing import Self

LIFE = (1.0, 6.0)
"""Seconds that a connection lives, from and to."""
PIECE = 65_536


class Gateway:
    """Forwards connections; used as ``async with Gateway(ports, dice) as gateway:``."""

    def __init__(self, ports: Sequence[int], dice: Random) -> None:
        """Take the pods' ports on loopback."""
        self._ports = ports
        self._dice = dice

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Accept no more; what is open ends with its life."""
        self._server.close()
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.sockets[0].getsockname()[1])

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port, life = self._dice.choice(self._ports), self._dice.uniform(*LIFE)
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.transport.abort()
            return
        try:
            with suppress(TimeoutError, OSError):
                async with asyncio.timeout(life), asyncio.TaskGroup() as group:
                    group.create_task(_pumped(reader, inner_writer))
                    group.create_task(_pumped(inner_reader, writer))
        finally:
            writer.transport.abort()
            inner_writer.transport.abort()


async def _pumped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes one way until the sender's end, which is passed on to the other side."""
    with suppress(OSError):
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
