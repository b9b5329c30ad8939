"""The fork server, run in the test's own process: it forks, reaps and reports."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from connector.keys.handover.forkserver import ForkServer
from connector.keys.handover.wire import Ended, Order, Report, decode_report, encode

# Children of a process with threads end without calling anything that could wait for a lock.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


@pytest.fixture(autouse=True)
def _signals_as_they_were() -> Iterator[None]:
    handler = signal.getsignal(signal.SIGCHLD)
    yield
    signal.signal(signal.SIGCHLD, handler)


class Served:
    """A fork server with its service: orders are written before it serves, reports read after.

    The service goes away when it has heard of the end of ``ends`` processes.
    """

    def __init__(self, work: Callable[[int], None], ends: int) -> None:
        self.service, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.reports: list[Report] = []
        self._control = control
        self._left = ends
        self._server = Heard(control, work, self._hear)
        self._channels: list[socket.socket] = []

    def fork(self, number: int) -> None:
        ours, theirs = socket.socketpair()
        order = encode(Order(act="fork", number=number))
        socket.send_fds(self.service, [order], [theirs.fileno()])
        theirs.close()
        self._channels.append(ours)

    def kill(self, number: int) -> None:
        self.service.send(encode(Order(act="kill", number=number)))

    def serve(self) -> list[Report]:
        with self._control:
            self._server.serve()
        self.service.close()
        for one in self._channels:
            with one, suppress(BrokenPipeError):
                one.send(b"x")  # a process that still waits need not any more
        return self.reports

    def statuses(self) -> list[int]:
        """How the processes end that are left."""
        return [os.waitpid(pid, 0)[1] for pid in self._server.left()]

    def _hear(self) -> None:
        self.reports.append(decode_report(self.service.recv(4096)))
        self._left -= 1
        if not self._left:
            self.service.shutdown(socket.SHUT_WR)


class Heard(ForkServer):
    """Prints a line after each report."""

    def __init__(
        self, control: socket.socket, work: Callable[[int], None], hear: Callable[[], None]
    ) -> None:
        super().__init__(control, work)
        self._hear = hear

    def left(self) -> list[int]:
        return list(self._numbers)

    def tell(self, report: Report) -> None:
        super().tell(report)
        self._hear()


def _ends(_: int) -> None:
    """Nothing to do."""


def _waits(channel: int) -> None:
    os.read(channel, 1)


def _fails(_: int) -> None:
    raise ValueError("on purpose")


@pytest.mark.parametrize(("work", "status"), [(_ends, 0), (_fails, os.EX_SOFTWARE << 8)])
def test_the_end_of_a_process_is_reported(work: Callable[[int], None], status: int) -> None:
    """A process that fails does not go on as a second server."""
    served = Served(work, ends=1)
    served.fork(7)
    assert served.serve() == [Ended(number=7, status=status)]


def test_the_process_that_is_named_is_killed_and_no_other() -> None:
    served = Served(_waits, ends=1)
    served.fork(1)
    served.fork(2)
    served.kill(2)
    assert served.serve() == [Ended(number=2, status=signal.SIGKILL)]
    assert served.statuses() == [0]


def test_a_process_that_is_gone_is_not_killed() -> None:
    """Its id may belong to another process by then."""
    served = Served(_ends, ends=1)
    served.fork(1)
    served.kill(9)
    assert served.serve() == [Ended(number=1, status=0)]


def test_it_ends_with_its_service() -> None:
    """Also if that has left reports unread."""
    served = Served(_ends, ends=1)
    served.service.close()
    assert served.serve() == []
