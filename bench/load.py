"""The load: a lean HTTP client on uvloop, raw protocols, keep-alive, no pipelining.

``python -m bench.load`` obeys orders with ``port``, ``seconds``, ``connections``, ``first`` (number
of the first request) and ``ca`` (PEM file, or empty for plain HTTP), and says how it went.
Each connection has one request under way and stays open for the next order, but for ``close``;
connections and requests, each with its own id, are made before the clock starts; when time is up
what is under way is waited for, so that every request has an answer.

A warm-up closes its connections, as every server's are now and then: until the first large block
comes back to it, the C library maps and unmaps one for every read of TLS (mallopt(3),
``M_MMAP_THRESHOLD``), which costs more than a whole request.
"""

import asyncio
import ssl
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import uvloop

from bench.calibration import p99
from bench.worker_protocol import Answer, obey

PATH = "/hooks/workspace-one/acme"
AUTHORIZATION = "Basic YmVuY2g6YmVuY2g="
"""User and password ``bench``."""

MOST_PER_SECOND = 50_000
BODY = (
    b'{"EventId":148,"EventType":"MDM Enrollment Complete","DeviceId":%d,'
    b'"DeviceFriendlyName":"bench iPhone iOS 18.1 GGXX","EnrollmentUserId":%d,'
    b'"EnrollmentEmailAddress":"bench@example.com","EventTime":"2026-06-01T10:%02d:%02d.%03d0000Z",'
    b'"MACAddress":"020000000000","OwnershipType":"Corporate Dedicated","Platform":"Apple",'
    b'"SerialNumber":"F4GX%09d"}'
)
FIRST = 100_000_000
"""Numbers from here on have nine digits, so that every request has the same length."""

TEMPLATE = (
    f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {AUTHORIZATION}\r\n"
    "Content-Type: application/json\r\n"
    f"Content-Length: {len(BODY % (FIRST, FIRST, 0, 0, 0, FIRST))}\r\n\r\n"
).encode() + BODY
END = b"\r\n\r\n"
GOOD = b"HTTP/1.1 2"


def request(number: int) -> bytes:
    """A notification about device ``number`` (nine digits), at a time of its own."""
    seconds, millisecond = divmod(number, 1000)
    return TEMPLATE % (number, number, seconds // 60 % 60, seconds % 60, millisecond, number)


@dataclass
class Run:
    """What is shared by the connections at one order."""

    requests: list[bytes]
    until: float
    busy: int
    sent: int = 0
    good: int = 0
    bad: int = 0
    taken: list[float] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def leave(self) -> None:
        """A connection has nothing under way any more; the last one ends the run."""
        self.busy -= 1
        if self.busy == 0:
            self.ended.set()


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._run: Run | None = None
        self._answer = b""
        self._since = 0.0
        self.is_open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for :meth:`begin`."""
        self._transport = cast("asyncio.Transport", transport)

    def begin(self, run: Run) -> None:
        """Take part in a run."""
        self._run = run
        self._next(run, time.perf_counter())

    def close(self) -> None:
        """Nothing is under way."""
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Note an answer, send the next request."""
        run = self._run
        self._answer = answer = self._answer + data if self._answer else data
        if run is None or not answer.startswith(GOOD[: len(answer)]):
            self._transport.close()
            return
        if not answer.endswith(END):
            return
        now = time.perf_counter()
        run.taken.append(now - self._since)
        run.good += 1
        self._answer = b""
        self._next(run, now)

    def _next(self, run: Run, now: float) -> None:
        if now >= run.until or run.sent >= len(run.requests):
            self._run = None
            run.leave()
            return
        self._since = now
        self._transport.write(run.requests[run.sent])
        run.sent += 1

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's
        """What was under way has no answer."""
        self.is_open = False
        if self._run is not None:
            self._run.bad += 1
            self._run.leave()
            self._run = None


@cache
def _context(ca: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca)


class Load:
    """All connections, by port."""

    def __init__(self) -> None:
        self._clients: dict[int, list[Client]] = {}

    async def obey(self, order: dict[str, Any]) -> Answer:
        """Requests per second, 99th percentile, answers by kind."""
        first, seconds = order["first"], order["seconds"]
        count = int(seconds * MOST_PER_SECOND)
        requests = [request(number) for number in range(first, first + count)]
        clients = await self._connected(order["port"], order["connections"], order["ca"])
        begin = time.perf_counter()
        run = Run(requests, begin + seconds, len(clients))
        for client in clients:
            client.begin(run)
        await run.ended.wait()
        end = time.perf_counter()
        if order["close"]:
            for client in self._clients.pop(order["port"]):
                client.close()
        return {
            "per_second": len(run.taken) / (end - begin),
            "p99": p99(run.taken),
            "good": run.good,
            "bad": run.bad,
            "seconds": end - begin,
        }

    async def _connected(self, port: int, count: int, ca: str) -> list[Client]:
        """That many open connections; those that the server has closed are opened again."""
        options: dict[str, Any] = {"ssl": _context(ca)} if ca else {}
        connect = asyncio.get_running_loop().create_connection
        clients = [one for one in self._clients.get(port, ()) if one.is_open]
        while len(clients) < count:
            _, client = await connect(Client, "127.0.0.1", port, **options)
            clients.append(client)
        self._clients[port] = clients
        return clients


if __name__ == "__main__":
    uvloop.run(obey(Load().obey))
