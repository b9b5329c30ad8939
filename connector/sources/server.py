"""The webhook listener as one thing to start and stop."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from types import TracebackType
from typing import NamedTuple, Self

from connector.core.errors import Permanent
from connector.core.metrics import Metrics
from connector.core.ports import Clock
from connector.core.source import Source
from connector.sources.bodies import Bodies
from connector.sources.client_address import client_address
from connector.sources.connections import Connections
from connector.sources.failed_tries import FailedTries
from connector.sources.http import Routes
from connector.sources.refusals import Refusals, Refused
from connector.sources.senders import Gate, Senders
from connector.sources.storing import Log, Storing
from connector.sources.tenants import Limits, Listener
from connector.sources.tls import ServerCertificate

BACKLOG = 1024


class Surroundings(NamedTuple):
    """What the listener works with: journal, clock and metrics."""

    journal: Log
    clock: Clock
    metrics: Metrics


class IntakeServer:
    """Listens for webhooks while its context is open.

    ``async with IntakeServer(...) as intake:`` binds the port; leaving stops accepting, lets the
    requests at work end (at most ``limits.stop`` seconds) and closes every connection.

    Args:
        listener: where, and with which certificate or for which proxies.
        limits: how much callers may send.
        sources: the senders, by type; :meth:`replace_sources` changes them at once.
        surroundings: journal, clock and metrics.
        senders: the names in the settings; refusals of all others are counted as one.

    Raises:
        Permanent: ``CFG-001`` when there is neither a certificate nor a proxy; on entering,
            ``CFG-003`` when the certificate cannot be read.
    """

    def __init__(
        self,
        listener: Listener,
        limits: Limits,
        sources: Mapping[str, Source],
        surroundings: Surroundings,
        senders: Collection[str] = (),
    ) -> None:
        if listener.certificate is None and not listener.proxies:
            raise Permanent("CFG-001", "listening without TLS and without proxies")
        journal, clock, metrics = surroundings
        self._refusals = Refusals(clock, senders)
        self._listener = listener
        self._limits = limits
        self._metrics = metrics
        self._clock = clock
        gate = Gate(_failed_tries(limits), _address(listener), clock, metrics, self._refusals)
        self._storing = storing = Storing(journal, metrics, limits.append_time)
        self._senders = {
            name: Senders(source, gate, _bodies(limits), storing, clock)
            for name, source in sources.items()
        }
        self._routes = Routes(self._senders, clock, metrics)

    def replace_sources(self, sources: Mapping[str, Source]) -> None:
        """Replace the senders of all sources at once; the types must stay the same."""
        for name, senders in self._senders.items():
            senders.replace(sources[name])

    def refused(self) -> Sequence[Refused]:
        """What was refused within the last hour."""
        return self._refusals.standing()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def __aenter__(self) -> Self:
        """Bind and listen."""
        certificate = self._certificate()
        async with AsyncExitStack() as stack:
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            stop = asyncio.Event()
            stack.callback(stop.set)
            if certificate is not None:
                tasks.create_task(certificate.follow(stop))
            await self._listen(stack, certificate)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop accepting, end what runs, close."""
        await self._stack.__aexit__(kind, error, trace)

    async def _listen(self, stack: AsyncExitStack, certificate: ServerCertificate | None) -> None:
        peers = self._listener.proxies if certificate is None else None
        connections = Connections(self._routes.handle, self._limits, peers, self._metrics)
        listen = partial(
            asyncio.get_running_loop().create_server,
            connections,
            self._listener.host,
            self._listener.port,
            backlog=BACKLOG,
        )
        if certificate is not None:
            listen = partial(
                listen, ssl=certificate.context, ssl_handshake_timeout=self._limits.handshake
            )
        try:
            self._server = await listen()
        except OSError as error:
            raise Permanent("SRV-001", f"listening for webhooks: {error.strerror}") from error
        stack.push_async_callback(self._close, self._server, connections)

    async def _close(self, server: asyncio.AbstractServer, connections: Connections) -> None:
        server.close()
        await asyncio.sleep(0)  # requests that have arrived begin before idle connections close
        connections.pre_shutdown()
        await connections.shutdown(self._limits.stop)
        await self._storing.close()
        await server.wait_closed()

    def _certificate(self) -> ServerCertificate | None:
        certificate, key = self._listener.certificate, self._listener.key
        if certificate is None or key is None:
            return None
        return ServerCertificate(certificate, key, self._metrics, self._clock)


def _failed_tries(limits: Limits) -> FailedTries:
    return FailedTries(limits.failed_tries, limits.failed_window, limits.failed_addresses)


def _bodies(limits: Limits) -> Bodies:
    return Bodies(limits.body, limits.bodies_in_flight, limits.body_time)


def _address(listener: Listener) -> "partial[str]":
    return partial(client_address, proxies=listener.proxies)
