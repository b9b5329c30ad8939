"""The service's own intake on the clustered journal, acknowledged before each answer.

Arguments: options of the journal (JSON), folder of the local tables, certificate, key.
"""

import sys
import time
import uuid
from pathlib import Path

import uvloop

from bench.sides.intake import SOURCES, metrics
from bench.worker_protocol import Answer, obey, say
from connector.core.errors import Permanent
from connector.journal.kafka.journal import KafkaJournal
from connector.journal.settings import KafkaSettings
from connector.sources.server import IntakeServer, Surroundings
from connector.sources.tenants import Limits, Listener
from connector.wiring.clock import MachineClock
from connector.wiring.gc_tuning import settle_collector


async def main(options: KafkaSettings, folder: Path, certificate: Path, key: Path) -> None:
    """Listen, say where, and go on until the pipe is closed."""
    journal = KafkaJournal(
        options,
        local=folder / "tables.sqlite",
        instance=uuid.uuid4().hex,
        monotonic=time.monotonic,
        on_lost=_lost,
    )
    await journal.open()
    listener = Listener("127.0.0.1", 0, certificate, key)
    surroundings = Surroundings(journal, MachineClock(), metrics())
    async with IntakeServer(listener, Limits(), SOURCES, surroundings) as intake:
        settle_collector()
        say({"port": intake.port})
        await obey(_nothing)
    await journal.close()


async def _nothing(_: object) -> Answer:
    return {}


def _lost(fault: Permanent) -> None:
    raise fault


if __name__ == "__main__":
    uvloop.run(main(KafkaSettings.model_validate_json(sys.argv[1]), *map(Path, sys.argv[2:])))
