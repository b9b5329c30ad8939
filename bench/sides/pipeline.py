"""The loop alone with instant upstreams. Arguments: folder, ``synchronous``, speed of its clock.

Orders: ``deliver`` (range of new users), ``fail`` (range of users whose look-ups fail from now on;
answered once each failed often enough), and none, which only asks for the resident memory.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import uvloop

from bench.machine import resident_bytes
from bench.stage import Stage, stage
from bench.storm import Storm
from bench.worker_protocol import Answer, obey, say
from connector.journal.sqlite import SqliteOptions
from connector.wiring.gc_tuning import settle_collector


class Orders:
    """Obeys on a stage."""

    def __init__(self, made: Stage) -> None:
        self._stage = made
        self._storm = Storm(made)

    async def obey(self, order: dict[str, Any]) -> Answer:
        """One order."""
        if "deliver" in order:
            looks = self._storm.looks
            told = await self._stage.deliver(range(*order["deliver"]))
            return {**told, "failed_looks": self._storm.looks - looks}
        if "fail" in order:
            await self._storm.begin(range(*order["fail"]))
        return {"resident": resident_bytes(os.getpid())}


async def main(folder: Path, options: SqliteOptions, speed: float) -> None:
    """Work until the pipe is closed."""
    async with stage(folder, options, speed) as made:
        settle_collector()
        say({"ready": True})
        await obey(Orders(made).obey)


if __name__ == "__main__":
    chosen = SqliteOptions.model_validate_json(json.dumps({"synchronous": sys.argv[2]}))
    uvloop.run(main(Path(sys.argv[1]), chosen, float(sys.argv[3])))
