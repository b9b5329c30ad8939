"""The simulated UEM put together: one REST interface over TLS, one control interface beside it."""

import asyncio
import contextlib
import signal
import ssl
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from connector_testkit.simulators.tls import LOOPBACK, issue_tls
from connector_testkit.simulators.uem.api import Api
from connector_testkit.simulators.uem.api_faults import ApiFault
from connector_testkit.simulators.uem.control_fleet import ControlFleet
from connector_testkit.simulators.uem.control_people import ControlPeople
from connector_testkit.simulators.uem.control_request import refusals
from connector_testkit.simulators.uem.control_state import ControlState
from connector_testkit.simulators.uem.control_upstream import ControlUpstream
from connector_testkit.simulators.uem.device_calls import DeviceCalls
from connector_testkit.simulators.uem.fault_box import FaultBox
from connector_testkit.simulators.uem.fleet import Fleet
from connector_testkit.simulators.uem.options import UemOptions
from connector_testkit.simulators.uem.people import People
from connector_testkit.simulators.uem.profiles import Profiles
from connector_testkit.simulators.uem.routes import routes
from connector_testkit.simulators.uem.store import Store
from connector_testkit.simulators.uem.tenant import Tenant
from connector_testkit.simulators.uem.uploads import Uploads
from connector_testkit.simulators.uem.user_calls import UserCalls
from connector_testkit.simulators.uem.webhook import WebhookSender

CONTROL_BODY_LIMIT = 32 * 1024 * 1024
SHUTDOWN_SECONDS = 0.5


def machine_time() -> datetime:
    """The machine's clock, UTC."""
    return datetime.now(UTC)


class UemSimulator:
    """A running simulator: ``async with UemSimulator(options) as uem: uem.api_url``.

    Attributes:
        tenant: the state, for tests in the same process.
        ca_file: what a client of ``api_url`` must trust.

    Raises:
        OSError: a secret file cannot be read, or an address is taken.
    """

    def __init__(self, options: UemOptions, real: Callable[[], datetime] = machine_time) -> None:
        self.options = options
        self.tenant = Tenant(options, real)
        self._store = Store(self.tenant)
        self._faults: FaultBox[ApiFault] = FaultBox()
        self._webhook = WebhookSender(options.webhook, self.tenant.ledger)
        self._profiles = Profiles(self.tenant, self._store)
        self._fleet = Fleet(self.tenant, self._profiles, self._webhook.post)
        self._tls = issue_tls(options.directory, hosts=(*LOOPBACK, options.host))
        self._running = contextlib.AsyncExitStack()
        self._ports: dict[str, int] = {}

    @property
    def api_url(self) -> str:
        """Where the REST interface is, without ``/API``."""
        return f"https://{self.options.host}:{self._ports['api']}"

    @property
    def control_url(self) -> str:
        """Where the control interface is, without ``/_sim/``."""
        return f"http://{self.options.control_host}:{self._ports['control']}"

    @property
    def ca_file(self) -> Path:
        """The PEM file with the root of the interface's certificate."""
        return self._tls.ca

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as starting:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.minimum_version = ssl.TLSVersion.TLSv1_2
            tls.load_cert_chain(self._tls.certificate, self._tls.key)
            api, control = self._api_app(), self._control_app()
            options = self.options
            self._ports["api"] = await _listen(starting, api, (options.host, options.port), tls)
            address = (options.control_host, options.control_port)
            self._ports["control"] = await _listen(starting, control, address, None)
            background = await starting.enter_async_context(asyncio.TaskGroup())
            for work in (self.tenant.timetable.run(), self._webhook.run()):
                starting.callback(background.create_task(work).cancel)
            self._running = starting.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.aclose()

    def _api_app(self) -> web.Application:
        users = UserCalls(self.tenant, Uploads(self.tenant, self._store, self._profiles))
        devices = DeviceCalls(self.tenant, self._profiles)
        api = Api(self.tenant, routes(users, devices), self._faults)
        app = web.Application(client_max_size=self.options.body_limit)
        app.router.add_route("*", "/{path:.*}", api.handle)
        return app

    def _control_app(self) -> web.Application:
        people = People(self.tenant, self._store)
        app = web.Application(
            client_max_size=CONTROL_BODY_LIMIT, middlewares=[refusals, self._settled]
        )
        for part in (
            ControlPeople(self.tenant, people, self._store),
            ControlFleet(self.tenant, self._fleet, self._profiles),
            ControlUpstream(self.tenant, self._faults, self._webhook),
            ControlState(self.tenant, self._store, self._faults, self._webhook),
        ):
            app.add_routes(part.routes())
        return app

    @web.middleware
    async def _settled(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Do what is due first, so that no request sees an outdated state."""
        self.tenant.timetable.settle()
        return await handler(request)


async def run(options: UemOptions) -> None:
    """Run a simulator until SIGTERM, SIGINT or cancellation.

    Prints one line of JSON to standard output when it is ready:
    ``{"ready": "uem", "api": URL, "control": URL, "ca": PATH}``.
    """
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    try:
        async with UemSimulator(options) as uem:
            line = {"ready": "uem", "api": uem.api_url, "control": uem.control_url}
            sys.stdout.write(
                orjson.dumps({**line, "ca": str(uem.ca_file.absolute())}).decode() + "\n"
            )
            sys.stdout.flush()
            await ended.wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _listen(
    stack: contextlib.AsyncExitStack,
    app: web.Application,
    address: tuple[str, int],
    tls: ssl.SSLContext | None,
) -> int:
    """Serve ``app`` until the stack is closed; returns the port."""
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=SHUTDOWN_SECONDS,
    )
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, *address, ssl_context=tls)
    await site.start()
    return int(runner.addresses[0][1])
