"""A process that holds nothing but loaded modules, and forks one child for each hand-over.

It is started once, with an empty environment and without threads, so that forking is safe and
costs milliseconds. It never sees a job: it passes the descriptor of the child's channel on. It
reaps its children and tells the service how each ended; only a process that is not reaped yet is
ever sent a signal. The kernel ends it when the service ends, and its children with it.
"""

import contextlib
import gc
import os
import selectors
import signal
import socket
from collections.abc import Callable
from functools import partial

from connector.keys.handover import child, hardening, lockdown, plugins, sandbox
from connector.keys.handover.wire import Ended, Order, Ready, Report, encode

DATAGRAM_LIMIT = 4096


class ForkServer:
    """Carries out orders that arrive as datagrams on ``control``.

    Args:
        control: connected socket of type ``SOCK_SEQPACKET``.
        work: runs in the forked process with the number of its channel's descriptor.
    """

    def __init__(self, control: socket.socket, work: Callable[[int], None]) -> None:
        self._control = control
        self._work = work
        self._numbers: dict[int, int] = {}

    def serve(self) -> None:
        """Carry out orders until the service closes its end."""
        woken, wake = socket.socketpair()
        for end in (woken, wake):
            end.setblocking(False)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        with woken, wake, selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ, self._obey)
            selector.register(woken, selectors.EVENT_READ, lambda: self._reap(woken))
            going_on = True
            while going_on:
                going_on = all(key.data() for key, _ in selector.select())
            signal.set_wakeup_fd(-1)  # before its socket is closed

    def tell(self, report: Report) -> None:
        """Send a report to the service, if it is still there."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._control.sendall(encode(report))

    def _obey(self) -> bool:
        try:
            datagram, descriptors, _, _ = socket.recv_fds(self._control, DATAGRAM_LIMIT, 1)
        except ConnectionResetError:  # the service ended before it had read all reports
            return False
        if not datagram:
            return False
        order = Order.model_validate_json(datagram)
        if order.act == "kill":
            self._kill(order.number)
            return True
        self._fork(order.number, descriptors[0])
        return True

    def _fork(self, number: int, channel: int) -> None:
        server = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            os.close(channel)
            self.tell(Ended(number=number, status=None))
            return
        if pid == 0:
            self._become(channel, server)
        os.close(channel)
        self._numbers[pid] = number

    def _become(self, channel: int, server: int) -> None:
        """Run the child. It always exits here and never returns into the server's code."""
        status = os.EX_SOFTWARE
        try:
            hardening.end_with_parent(server)
            self._work(channel)
            status = os.EX_OK
        finally:
            os._exit(status)

    def _kill(self, number: int) -> None:
        for pid, owned in self._numbers.items():
            if owned == number:
                os.kill(pid, signal.SIGKILL)

    def _reap(self, woken: socket.socket) -> bool:
        with contextlib.suppress(BlockingIOError):
            woken.recv(DATAGRAM_LIMIT)
        while self._numbers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            self.tell(Ended(number=self._numbers.pop(pid), status=status))
        return True


def run(control: int, token_bytes: Callable[[int], bytes]) -> None:
    """Load everything that a hand-over needs, report that, and serve. Runs after hardening.

    Args:
        control: descriptor of the socket that leads to the service.
        token_bytes: source of randomness for passwords.
    """
    with socket.socket(fileno=control) as connected:
        plugins.preload()
        parts = sandbox.prepare()
        memory_locks = lockdown.lock_memory()
        lockdown.unlock_memory()
        gc.collect()
        gc.freeze()
        gc.enable()  # the start disabled it
        server = ForkServer(connected, partial(child.main, token_bytes=token_bytes))
        server.tell(Ready(memory_locks=memory_locks, sandbox=parts))
        server.serve()
