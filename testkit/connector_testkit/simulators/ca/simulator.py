"""A simulated CA as a whole: starts, says where it listens, stops."""

import asyncio
import json
import signal
import ssl
import sys
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from random import Random
from typing import Any, Self

from aiohttp import web

from connector_testkit.simulators.ca.answers import Stalls
from connector_testkit.simulators.ca.api import EscrowApi, Parts
from connector_testkit.simulators.ca.authority import Authority
from connector_testkit.simulators.ca.bundles import Bundles
from connector_testkit.simulators.ca.commands import Webhook
from connector_testkit.simulators.ca.control_api import ControlApi
from connector_testkit.simulators.ca.keys import KeyPool
from connector_testkit.simulators.ca.ledger import Ledger
from connector_testkit.simulators.ca.lies import Lies, LyingBundles
from connector_testkit.simulators.ca.markers import Passwords
from connector_testkit.simulators.ca.notifier import Notifier
from connector_testkit.simulators.ca.options import CaOptions
from connector_testkit.simulators.ca.recoveries import Recoveries
from connector_testkit.simulators.ca.registry import Registry
from connector_testkit.simulators.tls import LOOPBACK, TlsFiles, issue_tls

ISSUERS = "issuers.pem"
STOP_LIMIT = 1.0


def _now() -> datetime:
    return datetime.now(UTC)


class CaSimulator:
    """One CA with its escrow API (mutual TLS) and control API (loopback, plain HTTP).

    Used as ``async with CaSimulator(options) as ca:``; inside, ``api_url``, ``control_url`` and
    ``tls`` (the files, the client's included) are known.
    """

    api_url: str
    control_url: str
    tls: TlsFiles

    def __init__(self, options: CaOptions, now: Callable[[], datetime] = _now) -> None:
        self._options = options
        dice = Random(options.seed)
        self._keys = KeyPool(options.key_algorithm, size=options.key_pool, reuse=options.reuse_keys)
        self._parts = _parts(options, self._keys, now, dice)
        webhook = None if options.webhook is None else Webhook(**options.webhook.model_dump())
        self._notifier = Notifier(webhook, now, dice)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Write the TLS files and listen."""
        directory = self._options.directory
        hosts = (*LOOPBACK, self._options.listen_host)
        self.tls = issue_tls(directory, client=self._options.client_name, hosts=hosts)
        (directory / ISSUERS).write_bytes(self._parts.authority.pem())
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cut what is under way and stop listening."""
        await self._stack.aclose()

    async def _start(self) -> None:
        options = self._options
        self._background(self._keys.fill())
        self._background(self._notifier.send_all())
        api = await self._serve(EscrowApi(self._parts).application())
        control = await self._serve(ControlApi(self._parts, self._notifier).application())
        context = server_context(self.tls)
        port = await _listen(api, options.listen_host, options.listen_port, context)
        self.api_url = f"https://{options.listen_host}:{port}"
        port = await _listen(control, options.control_host, options.control_port, None)
        self.control_url = f"http://{options.control_host}:{port}"

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._stack.push_async_callback(_end, task)

    async def _serve(self, application: web.Application) -> web.AppRunner:
        runner = web.AppRunner(
            application, access_log=None, handler_cancellation=True, shutdown_timeout=STOP_LIMIT
        )
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        return runner


def _parts(options: CaOptions, keys: KeyPool, now: Callable[[], datetime], dice: Random) -> Parts:
    authority = Authority(dice)
    registry = Registry(authority, keys, now)
    fixed = options.fixed_password
    bundles = Bundles(
        authority,
        dice,
        kdf_rounds=options.kdf_rounds,
        fixed_password=None if fixed is None else fixed.get_secret_value().encode(),
    )
    return Parts(
        authority=authority,
        registry=registry,
        recoveries=Recoveries(registry, approval=options.approval),
        bundles=bundles,
        lying=LyingBundles(registry, bundles, keys, dice),
        lies=Lies(),
        stalls=Stalls(),
        ledger=Ledger(now),
        passwords=Passwords(),
    )


def server_context(tls: TlsFiles) -> ssl.SSLContext:
    """TLS 1.2 or newer; only clients of our own root get in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tls.certificate, tls.key)
    context.load_verify_locations(tls.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


async def _listen(
    runner: web.AppRunner, host: str, port: int, context: ssl.SSLContext | None
) -> int:
    site = web.TCPSite(runner, host, port, ssl_context=context)
    await site.start()
    return int(runner.addresses[-1][1])


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel a task that runs for ever; if it had failed before, raise its error."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


async def run(options: CaOptions) -> None:
    """Serve until SIGTERM or SIGINT; the ready line goes to standard output as one JSON object."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with CaSimulator(options) as ca:
        ready = {"ready": "ca", "api": ca.api_url, "control": ca.control_url}
        trusted = options.directory.absolute() / "ca.pem"
        sys.stdout.write(json.dumps({**ready, "ca": str(trusted)}) + "\n")
        sys.stdout.flush()
        await stop.wait()
