"""A service that does nothing but hand over. Argument: a file with the job as JSON.

Orders: ``hand_over`` (how many), ``parallel`` (how many at once), ``watched`` (whether lag is
measured). Answers with wall and processor seconds of the whole process group and with the 99.9th
percentile of the event loop's lag.
"""

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import uvloop

from bench.machine import children, processor_seconds
from bench.sides import fixed_forkserver
from bench.worker_protocol import Answer, obey, say
from connector.core.handover import Accepted, HandoverJob
from connector.keys.handover.parent import HandOver
from connector.wiring.gc_tuning import settle_collector

COMMAND = (sys.executable, "-I", "-B", str(Path(fixed_forkserver.__file__)))
TICK = 0.001


class HandOvers:
    """Hands the same job over as often as asked."""

    def __init__(self, hand_over: HandOver, job: HandoverJob) -> None:
        """Use a started parent."""
        self._hand_over = hand_over
        self._job = job
        self._left = 0
        (self._server,) = children(os.getpid())

    async def obey(self, order: dict[str, Any]) -> Answer:
        """One order."""
        self._left = order["hand_over"]
        used, begin = self._used(), time.perf_counter()
        lags = await self._run(order["parallel"], watched=order["watched"])
        return {
            "seconds": time.perf_counter() - begin,
            "processor_seconds": self._used() - used,
            "lag": sorted(lags)[int(len(lags) * 0.999)],
        }

    def _used(self) -> float:
        return time.process_time() + processor_seconds(self._server, with_children=True)

    async def _run(self, parallel: int, *, watched: bool) -> list[float]:
        lags: list[float] = [0.0]
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(_watch(lags) if watched else _sleep())
            async with asyncio.TaskGroup() as work:
                for _ in range(parallel):
                    work.create_task(self._work())
            watch.cancel()
        return lags

    async def _work(self) -> None:
        while self._left > 0:
            self._left -= 1
            outcome = await self._hand_over.run(self._job, self._job.limit)
            if not isinstance(outcome, Accepted):
                raise TypeError(f"a hand-over was not accepted: {outcome!r}")


async def _sleep() -> None:
    """Watching costs processor time, so it is done only where lag is measured."""
    await asyncio.Event().wait()


async def _watch(lags: list[float]) -> None:
    """How much later than asked for the loop comes back, again and again."""
    while True:
        begin = time.perf_counter()
        await asyncio.sleep(TICK)
        lags.append(time.perf_counter() - begin - TICK)


async def main(job: HandoverJob) -> None:
    """Hand over until the pipe is closed."""
    hand_over = HandOver(accept_unlocked_memory=True, command=COMMAND)
    await hand_over.start()
    settle_collector()
    say({"ready": True})
    await obey(HandOvers(hand_over, job).obey)
    await hand_over.stop()


if __name__ == "__main__":
    read = Path(sys.argv[1]).read_text(encoding="utf-8")
    uvloop.run(main(HandoverJob.model_validate_json(read)))
