"""Real Kafka brokers for the demo, the tests and the benchmarks: one or three, on loopback.

Each is broker and controller (KRaft), a Java process of its own. Usable from any event loop: the
processes belong to none.
"""

import asyncio
import base64
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from connector_testkit.demo.broker_node import TAIL, Broker
from connector_testkit.demo.broker_settings import (
    GUARDED,
    LISTENERS,
    Guard,
    Seat,
    java_options,
    properties,
)
from connector_testkit.demo.kafka_program import BrokerUnavailable, class_path, java
from connector_testkit.demo.ports import free_ports


class Brokers:
    """A cluster; ``async with Brokers(folder, 3) as brokers:`` starts and ends it.

    Each node has a folder ``node-N`` with its ``server.properties``, ``output.log`` (what Java
    says) and ``data`` (topics and metadata).

    Args:
        folder: where the nodes' folders are made.
        count: 1 or 3.
        guard: turns on the listeners TLS, MUTUAL, SASL, and rights of users.

    Raises:
        BrokerUnavailable: on entering, when Java or Maven are missing, Kafka cannot be fetched, or
            a broker does not start.
    """

    def __init__(self, folder: Path, count: int = 1, *, guard: Guard | None = None) -> None:
        names = [name for name in LISTENERS if guard or name not in GUARDED]
        free = iter(free_ports(count * len(names)))
        self._seats = [
            Seat(number, folder / f"node-{number}", {name: next(free) for name in names})
            for number in range(1, count + 1)
        ]
        self._guard = guard
        self.nodes: list[Broker] = []

    @property
    def bootstrap(self) -> str:
        """Addresses of all nodes, for clients without TLS and login."""
        return self.addresses("OPEN")

    def addresses(self, listener: str) -> str:
        """Addresses of all nodes' listeners of one kind: OPEN, TLS, MUTUAL, SASL."""
        return ",".join(node.address(listener) for node in self.nodes)

    async def __aenter__(self) -> Self:
        """Fetch Kafka if need be, format, start, and wait until every node serves."""
        path = await class_path()
        cluster = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        try:
            async with asyncio.TaskGroup() as group:
                for seat in self._seats:
                    group.create_task(asyncio.to_thread(self._format, seat, path, cluster))
        except ExceptionGroup as several:
            raise several.exceptions[0] from None
        run = (*_dying_with_us(), java(), *java_options(self._guard), "-cp", path, "kafka.Kafka")
        self.nodes = [Broker(seat, (*run, str(seat.settings))) for seat in self._seats]
        try:
            for node in self.nodes:
                node.launch()
            for node in self.nodes:
                await node.served()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Kill all nodes: what they hold is thrown away."""
        for node in self.nodes:
            await node.kill()

    def _format(self, seat: Seat, path: str, cluster: str) -> None:
        seat.folder.mkdir(parents=True)
        seat.settings.touch(mode=0o600)
        seat.settings.write_text(properties(seat, self._seats, self._guard))
        tool = [java(), *java_options(None), "-cp", path, "kafka.tools.StorageTool", "format"]
        command = [*tool, f"--cluster-id={cluster}", "-c", str(seat.settings), *self._logins()]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            raise BrokerUnavailable(f"formatting broker {seat.number}: {done.stderr[-TAIL:]}")

    def _logins(self) -> Iterator[str]:
        users = self._guard.users if self._guard else {}
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
            for name, password in users.items():
                yield "--add-scram"
                yield f"{mechanism}=[name={name},password={password}]"


def _dying_with_us() -> tuple[str, ...]:
    """A command that has the kernel kill the broker when its parent is killed."""
    path = shutil.which("setpriv")
    return (path, "--pdeathsig", "KILL", "--") if path else ()
