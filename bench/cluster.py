"""A real Kafka broker for the blocks that need one, and topics on it.

One broker, so one copy of each record, flushed to the disk before it is acknowledged: as
``kafka init`` makes topics that have a single replica. The measured side has one core, the broker
another one, which it shares with the load where there are only two.
"""

import asyncio
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from bench.machine import cores, load_core
from bench.measured_process import Side
from bench.stage import PARTITIONS
from connector.journal.kafka.cluster import administration, create
from connector.journal.kafka.topics import wanted
from connector.journal.settings import KafkaSettings
from connector_testkit.demo.kafka_program import BrokerUnavailable, class_path

SESSION = timedelta(seconds=6)
"""The shortest session that brokers grant by default."""


def missing() -> str:
    """Why there cannot be a broker on this machine; empty when there can. Fetches it if need be."""
    try:
        asyncio.run(class_path())
    except BrokerUnavailable as error:
        return str(error)
    return ""


def broker_core() -> frozenset[int]:
    """Where the broker runs."""
    return frozenset(cores()[2:]) or load_core()


class Cluster:
    """One broker, which runs until the stack is left."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        """Start it; takes some seconds."""
        nodes = str(folder / "nodes")
        self._side = stack.enter_context(
            Side("bench.sides.kafka_broker", nodes, cores=broker_core())
        )
        self._address = self._side.heard()["bootstrap"]

    def topics(self, prefix: str, partitions: int = PARTITIONS) -> KafkaSettings:
        """Options for a prefix, with its topics made."""
        options = KafkaSettings(
            type="kafka",
            bootstrap_servers=(self._address,),
            prefix=prefix,
            partitions=partitions,
            replication=1,
            min_insync_replicas=1,
            session_timeout=SESSION,
        )
        asyncio.run(_make(options))
        return options


async def _make(options: KafkaSettings) -> None:
    async with administration(options) as admin:
        await create(admin, wanted(options))
