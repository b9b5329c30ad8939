"""Regular gauges of the journal, and tidying, which goes by the journal's time."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from connector.core.errors import Permanent
from connector.core.journal import Commit, StateRow
from connector.core.metric_definitions import (
    DELIVERIES_IN_STATE,
    DISCLOSED_WITHIN_HOUR,
    DISCLOSURES_HELD_BACK,
    JOURNAL_OLDEST_WAITING,
    JOURNAL_WAITING,
    NEEDS_OPERATOR,
    PURGE_OLDEST_AGE,
    PURGE_PENDING,
)
from connector.core.metrics import NoMetrics
from connector.core.model import DAY, Millis, SubjectKind, subject_key
from connector.core.rows import UnreadableState
from connector.core.states import Brakes, Phase
from connector.journal.settings import SqliteSettings
from connector.journal.sqlite import SqliteJournal
from connector.observe.labels import Names
from connector.observe.metrics import Build, PrometheusMetrics
from connector.wiring.gauges import Gauges
from connector.worker import brakes
from connector_testkit.conformance.journal_samples import written
from tests.support.clocks import ManualClock
from tests.support.counted import Counted
from tests.worker.conftest import ROUTE, Stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    made = Stage(tmp_path)
    await made.journal.open()
    yield made
    await made.journal.close()


class Tidied:
    """A journal that only remembers up to when it was tidied."""

    def __init__(self) -> None:
        self.until: list[Millis] = []
        self.tidied = asyncio.Event()

    def take_ids_dropped(self) -> int:
        return 0

    async def unread(self) -> tuple[int, Millis | None]:
        return 0, None

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
    """What was taken within its retention is known; while no time is known, nothing is removed."""
    journal: Any = Tidied()
    stop = asyncio.Event()
    gauges = Gauges(journal, NoMetrics(), Leapt(), lambda: time, {})
    async with asyncio.TaskGroup() as group:
        group.create_task(gauges.follow(stop, every=0.001, tidy_every=3600.0))
        await journal.tidied.wait()
        stop.set()
    assert set(journal.until) == {time}


async def test_a_state_of_another_version_hides_no_gauge(tmp_path: Path) -> None:
    """It counts as a watched copy, of unknown age."""
    lost: list[Permanent] = []
    journal = SqliteJournal(
        SqliteSettings(path=tmp_path / "j.db", partitions=1),
        monotonic=time.monotonic,
        on_lost=lost.append,
    )
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
    metrics = Counted()
    clock = ManualClock()
    gauges = Gauges(journal, metrics, clock, clock.now, {"corp": ROUTE})
    await gauges.publish()
    await journal.close()
    assert metrics.of(PURGE_PENDING) == [(1, ("acme",))]
    assert metrics.of(PURGE_OLDEST_AGE) == [(0, ("acme",))]
    assert metrics.now(DELIVERIES_IN_STATE) == {("of tomorrow", "acme"): 1}
    another_looks = asyncio.create_task(gauges.publish_while_first(3600))
    await asyncio.sleep(0)
    another_looks.cancel()
    await asyncio.wait([another_looks])
    assert metrics.now(DELIVERIES_IN_STATE) == {("of tomorrow", "acme"): 0}


async def test_each_pause_is_counted_once(tmp_path: Path) -> None:
    """All partitions hold the same ones; a process that does not look any more shows none."""
    lost: list[Permanent] = []
    journal = SqliteJournal(
        SqliteSettings(path=tmp_path / "j.db", partitions=3),
        monotonic=time.monotonic,
        on_lost=lost.append,
    )
    await journal.open()
    metrics = PrometheusMetrics(Names(partitions=3), Build("1.0", "abc", "3.11"))
    clock = ManualClock()
    gauges = Gauges(journal, metrics, clock, clock.now, {"corp": ROUTE})
    records = [await journal.take_over(partition) for partition in range(3)]

    async def shown(held: Brakes) -> float | None:
        for number, record in enumerate(records):
            changes = {"brakes": held, "commits": record.commits + 1}
            records[number] = record.model_copy(update=changes)
            await journal.commit(Commit(record=records[number]))
        await gauges.publish()
        return metrics.registry.get_sample_value("pki_connector_pauses")

    all_paused = brakes.pause(Brakes(), None, clock.now(), by="anna", reason="leak")
    both = brakes.pause(all_paused, "corp", clock.now(), by="bert", reason="leak")
    assert [await shown(held) for held in (Brakes(), all_paused, both)] == [0, 1, 2]
    another_looks = asyncio.create_task(gauges.publish_while_first(3600))
    await asyncio.sleep(0)
    another_looks.cancel()
    await asyncio.wait([another_looks])
    assert metrics.registry.get_sample_value("pki_connector_pauses") == 0
    await journal.close()


async def test_stored_events_wait_until_a_round_has_handled_them(stage: Stage) -> None:
    """Counted with the age of the oldest, so that an owner that hangs is seen."""
    metrics = Counted()
    gauges = Gauges(stage.journal, metrics, stage.clock, stage.clock.now, stage.routes)
    stop = asyncio.Event()

    async def seen() -> tuple[float, float]:
        async with asyncio.TaskGroup() as group:
            group.create_task(gauges.follow(stop, every=3600.0, tidy_every=3600.0))
            await stage.turns(2)
            stop.set()
        stop.clear()
        waiting = metrics.now(JOURNAL_WAITING)["unread",]
        return waiting, metrics.now(JOURNAL_OLDEST_WAITING)["unread",]

    await stage.journal.take_over(0)
    await stage.enrol("7")
    stage.clock.advance(30_000)
    await stage.enrol("8")
    assert await seen() == (2, 30)
    async with stage.running():
        await stage.until_phase(Phase.COMPLETED, "7")
        await stage.until_phase(Phase.COMPLETED, "8")
    assert await seen() == (0, 0)


async def test_what_the_ceiling_counts_and_holds_back(stage: Stage) -> None:
    """Two keys of at most two per hour: the second user's wait, which is counted."""
    stage.metrics = metrics = Counted()
    stage.limits = stage.limited(ceiling=2)
    gauges = Gauges(stage.journal, metrics, stage.clock, stage.clock.now, stage.routes)
    async with stage.running():
        await stage.enrol("7")
        await stage.until_phase(Phase.COMPLETED, "7")
        assert metrics.of(DISCLOSURES_HELD_BACK) == []
        await stage.enrol("8")
        await stage.until(lambda: metrics.of(DISCLOSURES_HELD_BACK))
    await gauges.publish()
    assert metrics.now(DISCLOSED_WITHIN_HOUR) == {(): 2}
    another_looks = asyncio.create_task(gauges.publish_while_first(3600))
    await asyncio.sleep(0)
    another_looks.cancel()
    await asyncio.wait([another_looks])
    assert metrics.now(DISCLOSED_WITHIN_HOUR) == {(): 0}


async def test_who_needs_an_operator_is_counted_by_code(stage: Stage) -> None:
    """As `status` counts them; zero once this process does not look any more."""
    metrics = Counted()
    gauges = Gauges(stage.journal, metrics, stage.clock, stage.clock.now, stage.routes)
    stage.limits = stage.limited(ceiling=1)  # a larger set fails with DLV-009
    async with stage.running():
        await stage.enrol("7")
        await stage.until_phase(Phase.FAILED, "7")
    await gauges.publish()
    assert metrics.now(NEEDS_OPERATOR) == {("DLV-009",): 1}
    another_looks = asyncio.create_task(gauges.publish_while_first(3600))
    await asyncio.sleep(0)
    another_looks.cancel()
    await asyncio.wait([another_looks])
    assert metrics.now(NEEDS_OPERATOR) == {("DLV-009",): 0}
