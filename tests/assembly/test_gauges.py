"""What is told of the journal now and then, and tidying, which goes by the journal's time."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from connector.assembly.gauges import Gauges
from connector.conformance.journal_samples import written
from connector.core.errors import Permanent
from connector.core.journal import StateRow
from connector.core.metrics import NoMetrics
from connector.core.model import DAY, Millis, SubjectKind, subject_key
from connector.core.rows import UnreadableState
from connector.journal.sqlite import SqliteJournal
from tests.worker.conftest import ROUTE, SteppedClock


class Tidied:
    """A journal that only remembers up to when it was tidied."""

    def __init__(self) -> None:
        self.until: list[Millis] = []
        self.tidied = asyncio.Event()

    def take_ids_dropped(self) -> int:
        return 0

    def load_of_appends(self) -> tuple[int, float]:
        return 0, 0.0

    async def tidy(self, now: Millis) -> None:
        self.until.append(now)
        self.tidied.set()


class Leapt:
    """A wall clock that is a year ahead of the journal; an hour passes at each look."""

    seconds = 0.0

    def now(self) -> Millis:
        return 365 * DAY

    def monotonic(self) -> float:
        self.seconds += 3600.0
        return self.seconds


@pytest.mark.parametrize("time", [5 * DAY, 0])
async def test_a_leap_of_the_wall_clock_forgets_no_ids(time: Millis) -> None:
    """What was taken within its retention is known; while no time is known, nothing is let go."""
    journal: Any = Tidied()
    stop = asyncio.Event()
    gauges = Gauges(journal, NoMetrics(), Leapt(), lambda: time, {})
    async with asyncio.TaskGroup() as group:
        group.create_task(gauges.follow(stop, every=0.001, tidy_every=3600.0))
        await journal.tidied.wait()
        stop.set()
    assert set(journal.until) == {time}


class Pending(NoMetrics):
    """Keeps how many copies are watched."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int, float]] = []

    def purge_pending(self, target: str, count: int, oldest: float) -> None:
        self.told.append((target, count, oldest))


async def test_a_state_of_another_version_hides_no_gauge(tmp_path: Path) -> None:
    """It counts as a watched copy, of unknown age."""
    lost: list[Permanent] = []
    journal = SqliteJournal(tmp_path / "j.db", 1, monotonic=time.monotonic, on_lost=lost.append)
    await journal.open()
    key = subject_key("acme", SubjectKind.HOLDER, "7")
    foreign = UnreadableState(
        key=key,
        kind="holder",
        phase="of tomorrow",
        route="corp",
        code="",
        version=1,
        act_epoch=None,
        state=b"{}",
        wants=(("look_gone:@acme", 1),),
    )
    await written(journal, await journal.take_over(0), states=[StateRow(key=key, state=foreign)])
    metrics = Pending()
    clock = SteppedClock()
    await Gauges(journal, metrics, clock, clock.now, {"corp": ROUTE}).publish()
    await journal.close()
    assert metrics.told == [("acme", 1, 0.0)]
