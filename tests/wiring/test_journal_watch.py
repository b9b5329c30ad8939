"""A journal that takes nothing for a while: reported at once, counted, and seen to recover."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from connector.core.conditions import Condition
from connector.core.errors import ConnectorError, Fault, Permanent, Transient
from connector.core.events import Event
from connector.core.journal import PartitionRecord
from connector.core.metric_definitions import (
    BACKUP_LAST_SUCCESS,
    JOURNAL_VOLUME_FREE,
    JOURNAL_WRITABLE,
)
from connector.journal.backup_mark import mark, marked
from connector.wiring.conditions import Board
from connector.wiring.journal_watch import QUIET, JournalWatch
from tests.support.clocks import ManualClock
from tests.support.counted import Counted

FULL = Transient("JRN-001", "writing journal: SQLITE_FULL")


class Disk:
    """A journal whose disk is full, or hangs, when a test says so."""

    def __init__(self) -> None:
        self.error: ConnectorError | None = None
        self.hangs = False
        self.restored = 0

    async def append(self, events: Sequence[Event]) -> list[bool]:
        await self.probe()
        return [True] * len(events)

    async def probe(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error

    async def records(self) -> list[PartitionRecord]:
        return [PartitionRecord(partition=0, restored=self.restored)]

    def trouble(self) -> Fault | None:
        return None if self.error is None else self.error.fault()


class Scene:
    """A watch on a disk, with all that it tells."""

    def __init__(self, folder: Path, low: int = 0) -> None:
        self.file = folder / "journal.sqlite"
        self.disk, self.clock, self.gauges = Disk(), ManualClock(), Counted()
        self.board = Board(self.clock, self.gauges)
        self.watch = JournalWatch(self.disk, self.board, self.gauges, self.clock, self.file, low)

    @property
    def writable(self) -> bool:
        return bool(self.gauges.now(JOURNAL_WRITABLE)[()])

    async def refused(self, number: int) -> None:
        events: Any = [None] * number
        with pytest.raises(ConnectorError):
            await self.watch.append(events)

    async def later(self, seconds: float) -> None:
        self.clock.advance(int(seconds * 1000))
        await self.watch.look(0.05)

    @property
    def condition(self) -> Condition | None:
        codes = {one.code: one for one in self.board.standing()}
        return codes.get("JRN-001") or codes.get("EVT-003")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


async def test_a_full_disk_is_told_from_the_first_refusal_to_the_recovery(scene: Scene) -> None:
    """In the log, as a condition with the number refused, and in the gauges."""
    assert (scene.writable, scene.watch.writable) == (True, True)
    scene.disk.error = FULL
    with capture_logs() as lines:
        await scene.refused(3)
        await scene.refused(2)
        assert (scene.writable, scene.watch.writable) == (False, False)
        standing = scene.condition
        assert standing is not None
        assert (standing.severity, "5 event(s) refused" in standing.text) == ("critical", True)
        await scene.later(QUIET + 1)
        assert not scene.watch.writable
        scene.disk.error = None
        await scene.later(1)
    assert (scene.writable, scene.condition) == (True, None)
    told = [(line["event"], line["count"]) for line in lines if "count" in line]
    assert told == [("journal.full", 3), ("journal.writable", 5)]


async def test_rounds_that_are_refused_tell_as_well(scene: Scene) -> None:
    """No sender has to be turned away first."""
    scene.disk.error = FULL
    await scene.later(1)
    assert scene.condition is not None
    assert scene.writable is False


async def test_a_disk_that_hangs_is_told(scene: Scene) -> None:
    """The patience of the listener ends; a look does not wait for ever either."""
    scene.disk.hangs = True
    events: Any = [None]
    with capture_logs() as lines, pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await scene.watch.append(events)
    assert [line["event"] for line in lines] == ["condition.began", "journal.unwritable"]
    await scene.later(QUIET + 1)
    assert scene.condition is not None
    scene.disk.hangs = False
    await scene.later(1)
    assert scene.condition is None


async def test_one_success_between_refusals_is_no_recovery(scene: Scene) -> None:
    """Otherwise a disk with a little room would raise an alarm a second."""
    scene.disk.error = FULL
    await scene.refused(1)
    scene.disk.error = None
    await scene.later(1)
    assert scene.condition is not None


async def test_a_long_refusal_is_told_again_now_and_then(scene: Scene) -> None:
    """With the number so far; not for each sender."""
    scene.disk.error = FULL
    with capture_logs() as lines:
        for _ in range(130):
            await scene.refused(1)
            scene.clock.advance(1000)
    assert [line["count"] for line in lines if line["event"] == "journal.full"] == [1, 61, 121]


async def test_what_a_sender_did_wrong_is_no_trouble_of_the_journal(scene: Scene) -> None:
    """Only what may pass by itself counts as a refusal."""
    scene.disk.error = Permanent("JRN-006")
    await scene.refused(1)
    assert scene.watch.writable


@pytest.mark.parametrize(("low", "codes"), [(0, []), (2**70, ["JRN-013"])])
async def test_a_volume_that_fills_up_is_a_warning(
    tmp_path: Path, low: int, codes: list[str]
) -> None:
    """Before it is full; the free space is published."""
    scene = Scene(tmp_path, low)
    await scene.watch.look(1)
    assert scene.gauges.now(JOURNAL_VOLUME_FREE)[()] > 0
    assert [one.code for one in scene.board.standing()] == codes


async def test_the_last_backup_is_dated(scene: Scene) -> None:
    """Also one that another process made; nothing is published while none is known."""
    await scene.later(1)
    assert scene.gauges.now(BACKUP_LAST_SUCCESS) == {}
    await asyncio.to_thread(mark, scene.file)
    await scene.later(1)
    assert scene.gauges.now(BACKUP_LAST_SUCCESS) == {(): marked(scene.file)}


async def test_a_restored_backup_is_told_until_a_person_resumes(scene: Scene) -> None:
    """With the time at which it was restored."""
    scene.disk.restored = 77
    await scene.watch.look(1)
    (standing,) = scene.board.standing()
    assert (standing.code, standing.severity, standing.since) == ("JRN-014", "critical", 77)
    scene.disk.restored = 0
    await scene.watch.look(1)
    assert scene.board.standing() == ()
