"""The service's side of the forkserver: starts it, sends orders, receives reports."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Sequence
from typing import Self

from connector.core.errors import Transient
from connector.core.reach import SandboxPart
from connector.keys.handover.wire import Ended, Order, Ready, Report, decode_report, encode

COMMAND = (sys.executable, "-I", "-B", "-m", "connector.keys.handover")
"""Isolated: neither the environment nor the working directory decides what is loaded. What follows
it, up to the three arguments that are added here, is for who looks at the processes."""

ENVIRONMENT = {"LC_ALL": "C.UTF-8"}
READY_SECONDS = 30.0
STOP_SECONDS = 5.0
_DATAGRAM_LIMIT = 4096


class Running:
    """One forked process: ``ended`` becomes its wait status, None when it never started."""

    def __init__(self, number: int, channel: socket.socket) -> None:
        """``channel`` is the service's end of the socket that leads to the process."""
        self.number = number
        self.channel = channel
        self.ended: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()


class ForkServerHandle:
    """A running forkserver. Made by :meth:`started`, ended by :meth:`stop`."""

    def __init__(self, process: Process, control: socket.socket) -> None:
        self._process = process
        self._control = control
        self._children: dict[int, Running] = {}
        self._numbers = 0
        self._ready: asyncio.Future[Ready | None] = asyncio.get_running_loop().create_future()
        self.alive = True
        asyncio.get_running_loop().add_reader(control, self._hear)

    @classmethod
    async def started(
        cls, command: Sequence[str] = COMMAND, *, memory_readable: bool = False
    ) -> Self:
        """Start a forkserver and wait until everything is loaded.

        Args:
            command: starts it; its arguments are appended.
            memory_readable: leave its memory readable to its own user, for tests that search it.

        Raises:
            Transient: ``HND-005`` when it does not get ready.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with theirs:
            memory = "readable" if memory_readable else "closed"
            process = await _spawned(command, theirs, memory)
        handle = cls(process, ours)
        ready, _ = await asyncio.wait([handle._ready], timeout=READY_SECONDS)
        if not ready or handle._ready.result() is None:
            await handle.stop()
            raise Transient("HND-005", "starting the forkserver: it does not get ready")
        return handle

    @property
    def memory_locks(self) -> bool:
        """Whether this node lets processes lock their memory."""
        ready = self._ready.result()
        return ready is not None and ready.memory_locks

    @property
    def sandbox(self) -> tuple[SandboxPart, ...]:
        """The parts of the sandbox that this kernel can build."""
        ready = self._ready.result()
        return () if ready is None else ready.sandbox

    def fork(self) -> Running:
        """Have one process forked, connected to us by the channel of the result.

        Raises:
            Transient: ``HND-005`` when the forkserver does not take the order.
        """
        self._numbers += 1
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            try:
                order = encode(Order(act="fork", number=self._numbers))
                socket.send_fds(self._control, [order], [theirs.fileno()])
            except OSError:
                ours.close()
                raise Transient("HND-005", "starting a hand-over process") from None
        running = Running(self._numbers, ours)
        self._children[running.number] = running
        return running

    def kill(self, running: Running) -> None:
        """Have a process ended; ``running.ended`` tells when that has happened."""
        if running.ended.done():
            return
        try:
            self._control.send(encode(Order(act="kill", number=running.number)))
        except OSError:
            self.end_all()

    def end_all(self) -> None:
        """End the forkserver at once; the kernel ends all of its children with it."""
        if self._process.returncode is None:
            self._process.kill()

    async def stop(self) -> None:
        """End the forkserver, gently first. Stopping twice is harmless."""
        self._lost()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self.end_all()
            await self._process.wait()

    def _hear(self) -> None:
        try:
            datagram = self._control.recv(_DATAGRAM_LIMIT)
            report = decode_report(datagram) if datagram else None
        except BlockingIOError:
            return
        except (OSError, ValueError):
            report = None
        if report is None:
            self.end_all()
            self._lost()
            return
        self._heard(report)

    def _heard(self, report: Report) -> None:
        match report:
            case Ready():
                if not self._ready.done():
                    self._ready.set_result(report)
            case Ended():
                running = self._children.pop(report.number, None)
                if running is not None and not running.ended.done():
                    running.ended.set_result(report.status)

    def _lost(self) -> None:
        """The forkserver is gone, and all of its children with it."""
        if not self.alive:
            return
        self.alive = False
        asyncio.get_running_loop().remove_reader(self._control)
        self._control.close()
        if not self._ready.done():
            self._ready.set_result(None)
        for running in self._children.values():
            if not running.ended.done():
                running.ended.set_result(None)
        self._children.clear()


async def _spawned(command: Sequence[str], control: socket.socket, memory: str) -> Process:
    """The forkserver's process, in a session of its own: a terminal's signals do not reach it."""
    return await asyncio.create_subprocess_exec(
        *command,
        str(control.fileno()),
        str(os.getpid()),
        memory,
        stdin=DEVNULL,
        stdout=DEVNULL,
        env=ENVIRONMENT,
        pass_fds=(control.fileno(),),
        start_new_session=True,
    )
