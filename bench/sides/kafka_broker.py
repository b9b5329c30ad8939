"""One real broker. Argument: its folder. Says its address, and runs until the pipe is closed."""

import asyncio
import sys
from pathlib import Path

from bench.worker_protocol import Answer, obey, say
from connector_testkit.demo.broker import Brokers


async def main(folder: Path) -> None:
    """Serve."""
    async with Brokers(folder) as brokers:
        say({"bootstrap": brokers.bootstrap})
        await obey(_nothing)


async def _nothing(_: object) -> Answer:
    return {}


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
