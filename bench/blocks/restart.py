"""From the start of ``pki-connector serve`` to its first effect, with 100,000 holders in flight.

Two of three were in the middle of a hand-over when the service ended, and every look is due. The
first effect is the first connection that reaches the UEM. The other side has one holder in flight.
"""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from bench.block import Block, Measure, VoidFigure
from bench.machine import server_core
from bench.seed import Seed, Templates, templates
from bench.stage import PARTITIONS
from connector_testkit.demo.processes import environment
from connector_testkit.demo.settings_file import Addresses, Secrets, settings, write_settings
from connector_testkit.simulators.tls import issue_tls

IN_FLIGHT = 100_000
PATIENCE = 60.0
STOP_SECONDS = 20


class Service:
    """The real service on a seeded journal, whose upstreams are this process."""

    def __init__(self, folder: Path, made_of: Templates, in_flight: int) -> None:
        """Write its settings and its journal."""
        self._kept = folder / "kept.sqlite"
        Seed(self._kept, made_of).in_flight(in_flight)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE)
        address = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        tls = folder / "upstream-tls"
        issue_tls(tls, client="pki-connector")
        at = Addresses(ca=address, ca_control="", uem=address, uem_control="")
        document = settings(folder, Secrets(folder / "secrets"), at, (tls, tls))
        self._settings = folder / "settings.yaml"
        write_settings(self._settings, _renamed(document))
        self._journal = folder / "journal" / "journal.sqlite"
        self._journal.parent.mkdir()

    def first_effect(self) -> float:
        """Seconds from the start of the process to its first effect."""
        shutil.copyfile(self._kept, self._journal)
        begin = time.perf_counter()
        process = self._start()
        try:
            self._listener.accept()[0].close()
            return time.perf_counter() - begin
        except TimeoutError:
            raise VoidFigure("the service did nothing") from None
        finally:
            process.kill()
            process.wait(STOP_SECONDS)
            self._forget()

    def close(self) -> None:
        """Let the address go."""
        self._listener.close()

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "connector", "serve", "--config", str(self._settings)]
        log = self._settings.with_name("serve.log")
        with log.open("ab") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment(),
                preexec_fn=partial(os.sched_setaffinity, 0, server_core()),  # noqa: PLW1509 - one thread
            )

    def _forget(self) -> None:
        """Connections that came late, and the journal as the service has left it."""
        self._listener.setblocking(False)
        try:
            while True:
                self._listener.accept()[0].close()
        except BlockingIOError:
            self._listener.settimeout(PATIENCE)
        for file in self._journal.parent.iterdir():
            file.unlink()


def _renamed(document: dict[str, Any]) -> dict[str, Any]:
    """Give UEM and route the names that the seeded states have."""
    return {
        **document,
        "uems": {"acme": document["uems"]["acme-uem"]},
        "routes": {"corp": {**document["routes"]["staff"], "uem": "acme"}},
        "journal": {**document["journal"], "partitions": PARTITIONS},
    }


@contextmanager
def opened(folder: Path, in_flight: int = IN_FLIGHT) -> Iterator[Measure]:
    """Two services that are started in turns."""
    (folder / "template").mkdir()
    made_of = asyncio.run(templates(folder / "template"))
    services = []
    for name, count in (("many", in_flight), ("one", 1)):
        (folder / name).mkdir()
        services.append(Service(folder / name, made_of, count))
    try:
        yield partial(_measure, *services)
    finally:
        for service in services:
            service.close()


def _measure(many: Service, one: Service) -> dict[str, float]:
    return {"restart-backlog": many.first_effect() / one.first_effect()}


BLOCK = Block(("restart-backlog",), opened)
