"""Running hand-overs from the service: gives out jobs, hears answers, never holds a key."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from connector.core.errors import ConnectorError
from connector.core.handover import HandoverJob, HandoverOutcome, NotSent
from connector.handover.lockdown import require_unswappable
from connector.handover.server import COMMAND, ForkServerHandle, Running
from connector.handover.verdict import Observed, judge
from connector.handover.wire import ANSWER_LIMIT, Envelope, Mark, encode

LATE_SECONDS = 0.25
"""After the kernel's own timer should have ended a process, the service does it."""

REAPED_SECONDS = 5.0
"""How long the forkserver may take to tell that a process that was ended is gone."""


class HandOver:
    """Hand-overs, each in a process of its own.

    Args:
        accept_unlocked_memory: whether keys may be held where swap is on and cannot be avoided.
        monotonic: the machine's monotonic clock in seconds; the processes read the same one.
        command: starts the forkserver; the number of its control descriptor is added.
    """

    def __init__(
        self,
        *,
        accept_unlocked_memory: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._accept_unlocked = accept_unlocked_memory
        self._monotonic = monotonic
        self._command = command
        self._server: ForkServerHandle | None = None
        self._starting = asyncio.Lock()
        self._attempts: set[_Attempt] = set()

    async def start(self) -> None:
        """Start the forkserver.

        Raises:
            Transient: ``HND-005`` when it does not start.
            Permanent: ``HND-004`` when keys could be swapped out and nobody accepted that.
        """
        server = await self._running_server()
        require_unswappable(locked=server.memory_locks, accept_unlocked=self._accept_unlocked)

    async def stop(self) -> None:
        """End the forkserver and every hand-over that still runs."""
        if self._server is not None:
            await self._server.stop()

    def cancel_unsent(self) -> None:
        """End the processes that do not upload yet; their outcome is *not sent*."""
        for attempt in self._attempts:
            attempt.cancel_if_unsent()

    async def run(self, job: HandoverJob, limit: float) -> HandoverOutcome:
        """Do one hand-over.

        Args:
            job: what to hand over.
            limit: seconds after which the kernel ends the process, counted from now.
        """
        deadline = self._monotonic() + limit
        try:
            server = await self._running_server()
            attempt = _Attempt(server, server.fork())
        except ConnectorError as error:
            return NotSent(fault=error.fault())
        self._attempts.add(attempt)
        try:
            await attempt.converse(Envelope(job=job, deadline=deadline), limit)
            await attempt.end()
        finally:
            self._attempts.discard(attempt)
            attempt.close()
        return judge(job, attempt.observed)

    async def _running_server(self) -> ForkServerHandle:
        async with self._starting:
            if self._server is None or not self._server.alive:
                self._server = await ForkServerHandle.started(self._command)
            return self._server


class _Attempt:
    """One process, while it runs."""

    def __init__(self, server: ForkServerHandle, running: Running) -> None:
        self.observed = Observed()
        self._server = server
        self._running = running
        self._writer: asyncio.StreamWriter | None = None

    async def converse(self, envelope: Envelope, limit: float) -> None:
        """Give the job and take lines until the process answered, ended, or is late."""
        reader, self._writer = await asyncio.open_connection(sock=self._running.channel)
        self._writer.write(encode(envelope))
        try:
            async with asyncio.timeout(limit + LATE_SECONDS):
                with suppress(ConnectionError):
                    await self._listen(reader)
        except TimeoutError:
            self.observed.overran = True

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        received = 0
        rest = b""
        marks = {mark.value.encode() for mark in Mark}
        while piece := await reader.read(ANSWER_LIMIT):
            received += len(piece)
            if received > ANSWER_LIMIT:
                self.observed.overflowed = True
                return
            *lines, rest = (rest + piece).split(b"\n")
            self.observed.lines += lines
            if any(line not in marks for line in lines):
                return
        self.observed.lines += [rest] if rest else []

    def cancel_if_unsent(self) -> None:
        if not self.observed.count(Mark.SENDING):
            self.observed.cancelled = True
            self._server.kill(self._running)

    async def end(self) -> None:
        """Make sure that the process is gone; its status is known then, if to anybody."""
        self._server.kill(self._running)
        done, _ = await asyncio.wait([self._running.ended], timeout=REAPED_SECONDS)
        if not done:
            self._server.end_all()
        self.observed.status = await self._running.ended

    def close(self) -> None:
        """Close the channel, which by itself ends a process that is still there."""
        self._server.kill(self._running)
        if self._writer is None:
            self._running.channel.close()
        else:
            self._writer.transport.abort()
