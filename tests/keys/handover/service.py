"""A service that runs one hand-over: the job comes as a line of JSON, the outcome goes back."""

import sys

import uvloop

from connector.core.handover import HandoverJob
from connector.keys.handover.parent import HandOver


async def main(command: list[str]) -> None:
    hand_over = HandOver(accept_unlocked_memory=True, command=command, memory_readable=True)
    await hand_over.start()
    job = HandoverJob.model_validate_json(sys.stdin.readline())
    outcome = await hand_over.run(job, job.limit)
    sys.stdout.write(outcome.model_dump_json() + "\n")
    sys.stdout.flush()
    sys.stdin.readline()
    await hand_over.stop()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
