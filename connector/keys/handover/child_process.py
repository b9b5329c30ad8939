"""The service's side of one hand-over process: send the job, read the answer, end it."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress

from connector.keys.handover.outcome import Observed
from connector.keys.handover.server import ForkServerHandle, Running
from connector.keys.handover.transcript import Transcript
from connector.keys.handover.wire import ANSWER_LIMIT, Envelope, Mark, encode

LATE_SECONDS = 0.25
"""After the kernel's own timer should have ended a process, the service does it."""

REAPED_SECONDS = 5.0
"""How long the forkserver may take to tell that a process that was ended is gone."""


class ChildProcess(asyncio.Protocol):
    """One process, while it runs."""

    def __init__(
        self, server: ForkServerHandle, running: Running, told: Callable[[Mark], None]
    ) -> None:
        """``running`` was just forked by ``server`` and waits for its job.

        ``told`` is called with each step that the process announces.
        """
        self._server = server
        self._running = running
        self._told = told
        self._transcript = Transcript()
        self._answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.BaseTransport | None = None
        self._cancelled = False

    def data_received(self, data: bytes) -> None:
        """Take output of the process; the first line that is no mark is its last."""
        for mark in self._transcript.feed(data):
            self._told(mark)
        if self._transcript.is_complete:
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """The process closed its end, or we did."""
        self._transcript.close()
        self._finish()

    def _finish(self) -> None:
        if not self._answered.done():
            self._answered.set_result(None)

    async def run(self, envelope: Envelope, limit: float) -> Observed:
        """Send the job, wait for the answer at most ``limit`` seconds, and end the process."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_unix_connection(lambda: self, sock=self._running.channel)
        self._transport = transport
        transport.write(encode(envelope))
        done, _ = await asyncio.wait([self._answered], timeout=limit + LATE_SECONDS)
        return Observed(
            transcript=self._transcript,
            overran=not done,
            cancelled=self._cancelled,
            status=await self._ended(),
        )

    def cancel_if_unsent(self) -> None:
        """End the process unless it has reported, read here yet or not, that it uploads.

        One that waits to send again does not upload.
        """
        if not self._transcript.sends and not self._is_about_to_send():
            self._cancelled = True
            self._server.kill(self._running)

    def _is_about_to_send(self) -> bool:
        with suppress(OSError):
            unheard = self._running.channel.recv(ANSWER_LIMIT, socket.MSG_PEEK)
            return Mark.SENDING.value.encode() in unheard.splitlines()
        return False

    async def _ended(self) -> int | None:
        """Make sure that the process is gone; its wait status, if known."""
        self._server.kill(self._running)
        done, _ = await asyncio.wait([self._running.ended], timeout=REAPED_SECONDS)
        if not done:
            self._server.end_all()
        return await self._running.ended

    def close(self) -> None:
        """Close the channel, which by itself ends a process that is still there."""
        self._server.kill(self._running)
        if isinstance(self._transport, asyncio.WriteTransport):
            self._transport.abort()
        else:
            self._running.channel.close()
