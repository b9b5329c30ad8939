"""A program that appends until it is stopped, and says what was acknowledged.

Arguments: the database file, a word that makes its ids its own, how many events at most. Each line
is ``ack ID`` or ``refused CODE``, ``open`` when it begins and ``done`` at its end; a lost journal
ends it with exit code 3 after ``lost``.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from connector.core.errors import Permanent, Transient
from connector.core.events import Event
from connector.journal.settings import SqliteSettings
from connector.journal.sqlite import SqliteJournal
from connector_testkit.conformance.journal_samples import event, some_subjects

PARTITIONS = 4
CALLERS = 8
LOST = 3


def say(*words: str) -> None:
    os.write(1, f"{' '.join(words)}\n".encode())


def stop(_fault: Permanent) -> None:
    """What the service does: end at once, recover at the next start."""
    say("lost")
    os._exit(LOST)


async def call(journal: SqliteJournal, word: str, numbers: Iterator[int]) -> None:
    """Append one event after another, each again until it is taken."""
    (subject,) = some_subjects(journal, 1)
    for number in numbers:
        one = event(subject, f"{word}-{number}")
        while not await taken(journal, one):
            continue


async def taken(journal: SqliteJournal, one: Event) -> bool:
    """Whether an event is durable now; says so."""
    try:
        await journal.append([one])
    except Transient as refusal:
        say("refused", refusal.code)
        return False
    say("ack", one.id)
    return True


async def main(path: Path, word: str, number: int) -> None:
    journal = SqliteJournal(
        SqliteSettings(path=path, partitions=PARTITIONS), monotonic=time.monotonic, on_lost=stop
    )
    await journal.open()
    say("open")
    numbers = iter(range(number))
    async with asyncio.TaskGroup() as tasks:
        for _ in range(CALLERS):
            tasks.create_task(call(journal, word, numbers))
    await journal.close()
    say("done")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
