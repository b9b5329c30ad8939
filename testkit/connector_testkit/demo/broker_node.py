"""One node of a Kafka cluster: a Java process that is started, awaited, signalled and ended."""

import asyncio
import os
import socket
import subprocess
from signal import SIGKILL, SIGTERM, Signals

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from connector_testkit.demo.broker_settings import Seat
from connector_testkit.demo.kafka_program import BrokerUnavailable
from connector_testkit.demo.polling import slowness, until
from connector_testkit.demo.ports import HOST

STARTING = 60.0
STOPPING = 20.0
TAIL = 2000
"""Characters of what it said last that an error quotes."""


class Broker:
    """One node. :meth:`start` starts it, again as well; :meth:`kill` ends it like a crash."""

    def __init__(self, seat: Seat, command: tuple[str, ...]) -> None:
        self.number = seat.number
        self.data = seat.data
        self.output = seat.folder / "output.log"
        self._seat = seat
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether its process has been started and not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The id of its process, started before."""
        if self._process is None:
            raise RuntimeError(f"broker {self.number} is not started")
        return self._process.pid

    def address(self, listener: str = "OPEN") -> str:
        """``host:port`` of a listener."""
        return f"{HOST}:{self._seat.ports[listener]}"

    async def start(self) -> None:
        """Start it, and wait until it serves.

        Raises:
            BrokerUnavailable: its process ended, or it did not serve within 60 seconds; with the
                end of what it said.
        """
        self.launch()
        await self.served()

    def launch(self) -> None:
        """Start its process without waiting."""
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    async def served(self) -> None:
        """Wait until it serves; raises as :meth:`start`."""
        try:
            await until(f"broker {self.number} serves", self._answers, within=STARTING * slowness())
        except TimeoutError:
            raise BrokerUnavailable(self._last_words("does not serve")) from None

    async def _answers(self) -> bool:
        if not self.running:
            raise BrokerUnavailable(self._last_words("ended"))
        if not _listens(self._seat.ports["OPEN"]):
            return False
        admin = AIOKafkaAdminClient(bootstrap_servers=self.address(), request_timeout_ms=5000)
        try:
            await admin.start()
            cluster = await admin.describe_cluster()
        except (KafkaError, TimeoutError):
            return False
        else:
            return self.number in {node["node_id"] for node in cluster["brokers"]}
        finally:
            await admin.close()

    def _last_words(self, what: str) -> str:
        said = self.output.read_text("utf-8", "replace")[-TAIL:]
        return f"broker {self.number} {what}: {said}"

    def signal(self, number: Signals) -> None:
        """Send its process a signal, such as SIGSTOP or SIGCONT."""
        os.kill(self.pid, number)

    async def kill(self) -> None:
        """End it as a crash would (SIGKILL), also when it is stopped; wait until it is gone."""
        await self._end(SIGKILL)

    async def stop(self) -> None:
        """Ask it to end (SIGTERM), and wait; after 20 seconds it is killed."""
        await self._end(SIGTERM)

    async def _end(self, number: Signals) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(number)
        try:
            await asyncio.to_thread(self._process.wait, STOPPING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
