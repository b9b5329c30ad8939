"""The loop on a Kafka journal with instant upstreams, as one process of a cluster.

Arguments: options of the journal (JSON), folder of the local tables, speed of its clock. Orders:
``owned`` (wait until exactly as many partitions are this process's; which), ``deliver`` (range of
new users; with what its commits said to others), ``effects`` (see :class:`bench.takeover.Waking`),
and none, which only asks for the resident memory.
"""

import os
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import uvloop

from bench.machine import resident_bytes
from bench.stage import Stage, Tally, performing
from bench.takeover import Waking
from bench.worker_protocol import Answer, obey, say
from connector.core.errors import Permanent
from connector.core.journal import Commit
from connector.journal.kafka.journal import KafkaJournal
from connector.journal.settings import KafkaSettings
from connector.wiring.gc_tuning import settle_collector


class CountingKafka(KafkaJournal):
    """The clustered journal with a tally; ``told``: partition, commit, ids of events to others."""

    async def open(self) -> None:
        """Open, and begin to count."""
        self.tally = Tally()
        self.told: list[tuple[int, int, list[str]]] = []
        await super().open()

    async def commit(self, commit: Commit) -> None:
        """Commit, then count."""
        await super().commit(commit)
        self.tally.note(commit)
        if commit.events:
            record = commit.record
            ids = [event.id for event in commit.events]
            self.told.append((record.partition, record.commits, ids))


class Orders:
    """Obeys on a stage."""

    def __init__(self, journal: CountingKafka, made: Stage) -> None:
        """Act on ``made``, which works on ``journal``."""
        self._journal = journal
        self._stage = made
        self._waking = Waking(made)

    async def obey(self, order: dict[str, Any]) -> Answer:
        """One order."""
        if "owned" in order:
            await self._stage.owners.until(lambda owned: len(owned) == order["owned"])
            return {"owned": sorted(self._stage.owners.owned)}
        if "deliver" in order:
            self._journal.told.clear()
            told = await self._stage.deliver(range(*order["deliver"]))
            return {**told, "told": self._journal.told}
        if "effects" in order:
            return {"at": await self._waking.effects(order["effects"])}
        return {"resident": resident_bytes(os.getpid())}


async def main(options: KafkaSettings, folder: Path, speed: float) -> None:
    """Work until the pipe is closed."""
    instance = uuid.uuid4().hex
    journal = CountingKafka(
        options,
        local=folder / f"{instance}.sqlite",
        instance=instance,
        monotonic=time.monotonic,
        on_lost=_lost,
    )
    await journal.open()
    try:
        async with performing(journal, speed) as made:
            settle_collector()
            say({"ready": True})
            await obey(Orders(journal, made).obey)
    finally:
        await journal.close()


def _lost(fault: Permanent) -> None:
    raise fault


if __name__ == "__main__":
    chosen = KafkaSettings.model_validate_json(sys.argv[1])
    uvloop.run(main(chosen, Path(sys.argv[2]), float(sys.argv[3])))
