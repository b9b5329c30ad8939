"""The load: a lean HTTP client on uvloop, raw protocols, keep-alive, no pipelining.

``python -m bench.load`` obeys orders with ``port``, ``seconds``, ``connections``, ``first`` (number
of the first request) and ``ca`` (PEM file, or empty for plain HTTP), and says how it went.
Each connection has one request under way; requests are built before the clock starts, each with its
own id; when time is up what is under way is waited for, so that every request has an answer.
"""

import asyncio
import ssl
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import uvloop

from bench.calibration import p99
from bench.obey import Answer, obey

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
    """What is shared by the connections of one order."""

    requests: list[bytes]
    until: float
    sent: int = 0
    good: int = 0
    bad: int = 0
    taken: list[float] = field(default_factory=list)
    open: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, run: Run) -> None:
        """Take part in a run."""
        self._run = run
        self._answer = b""
        self._since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)
        self._run.open += 1
        self._next(time.perf_counter())

    def data_received(self, data: bytes) -> None:
        """Note an answer, send the next request."""
        self._answer = answer = self._answer + data if self._answer else data
        if not answer.startswith(GOOD[: len(answer)]):
            self._run.bad += 1
            self._transport.close()
            return
        if not answer.endswith(END):
            return
        now, run = time.perf_counter(), self._run
        run.taken.append(now - self._since)
        run.good += 1
        self._answer = b""
        self._next(now)

    def _next(self, now: float) -> None:
        run = self._run
        if now >= run.until or run.sent >= len(run.requests):
            self._transport.close()
            return
        self._since = now
        self._transport.write(run.requests[run.sent])
        run.sent += 1

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's
        """The last one ends the run."""
        self._run.open -= 1
        if self._run.open == 0:
            self._run.ended.set()


@cache
def _context(ca: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca)


async def load(order: dict[str, Any]) -> Answer:
    """Obey one order; requests per second, 99th percentile, answers by kind."""
    loop = asyncio.get_running_loop()
    first, seconds = order["first"], order["seconds"]
    count = int(seconds * MOST_PER_SECOND)
    run = Run([request(number) for number in range(first, first + count)], 0)
    options: dict[str, Any] = {"ssl": _context(order["ca"])} if order["ca"] else {}
    begin = time.perf_counter()
    run.until = begin + seconds
    for _ in range(order["connections"]):
        await loop.create_connection(lambda: Client(run), "127.0.0.1", order["port"], **options)
    await run.ended.wait()
    end = time.perf_counter()
    return {
        "per_second": len(run.taken) / (end - begin),
        "p99": p99(run.taken),
        "good": run.good,
        "bad": run.bad,
        "seconds": end - begin,
    }


if __name__ == "__main__":
    uvloop.run(obey(load))
