"""Journal time steps back: the states that were written before are corrected, page by page."""

from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from connector.core.correction import Correction
from connector.core.errors import Family, Fault
from connector.core.events import Resumed
from connector.core.journal import StateRow
from connector.core.model import DAY, HOUR, SECOND, SubjectKind, subject_key
from connector.core.states import Brakes, CopyState, PersonState, Phase, StandingPause
from connector.core.step import wait_until
from connector.crash import CrashPoint, never
from connector.journal.settings import SqliteSettings
from connector.journal.sqlite import SqliteJournal
from connector.worker import correction
from connector_testkit.conformance.journal_samples import subjects, written
from tests.journal.copied import copied
from tests.worker.conftest import Stage
from tests.worker.test_doubt import state_of_copy, truly
from tests.worker.test_unreadable import spoil

AHEAD = 300 * DAY
"""So that the certificates are not expired by the wrong clock as well."""
KEPT = 90 * DAY
CORRECTED = "clock.states_corrected"
DOWN = Fault(code="UEM-001", family=Family.TRANSIENT, detail="down")


async def corrections(stage: Stage) -> list[dict[str, Any]]:
    return [dict(one.details) for one in await stage.audited() if one.action == CORRECTED]


async def test_what_a_wrong_clock_wrote_at_the_first_start_ends_at_its_proper_time(
    stage: Stage,
) -> None:
    """A copy is concluded gone after its retention, and a retry is not put off for a year."""
    truly(stage)
    stage.clock.wall += AHEAD
    async with stage.running():
        await stage.enrol()
        await stage.until_phase(Phase.AWAITING_PURGE)
        stage.world.down = lambda _: DOWN
        await stage.enrol("8")
        await stage.turns(10, step=100)
    stage.clock.wall -= AHEAD
    stage.world.down = lambda _: None
    begun = stage.clock.seconds
    async with stage.running() as worker:
        await stage.until_phase(Phase.COMPLETED)
        await stage.until_phase(Phase.COMPLETED, user="8")
        assert await state_of_copy(stage) is CopyState.GONE
        assert stage.clock.seconds - begun < HOUR // SECOND
        await stage.until(lambda: worker.record.correction is None)
    (found,) = await corrections(stage)
    assert 0 < found["changed"] <= found["subjects"]


class Killed(Exception):
    """The process was killed."""


def after(commits: int) -> CrashPoint:
    """A kill right behind the commit that follows a number of others."""
    left = [commits]

    def crash(name: str) -> None:
        if name == "loop.after_commit":
            left[0] -= 1
            if left[0] < 0:
                raise Killed

    return crash


async def stale(stage: Stage, number: int) -> None:
    """A journal of people who are to be forgotten, as noted by a clock that was ahead."""
    late = stage.clock.now() + AHEAD
    wants = (wait_until(late + KEPT),)
    keys = islice(subjects(stage.journal, 0, SubjectKind.PERSON), number)
    rows = [
        StateRow(key=key, state=PersonState(key=key, unused_since=late, wants=wants))
        for key in keys
    ]
    record = await stage.journal.take_over(0)
    changes = {"time": stage.clock.now(), "correction": Correction()}
    await written(stage.journal, record.model_copy(update=changes), states=rows)


async def test_a_new_owner_goes_on_where_the_last_one_was_killed(stage: Stage) -> None:
    number = 2 * correction.PER_ROUND + 10
    await stale(stage, number)
    stage.crash = after(1)
    with pytest.RaisesGroup(Killed, flatten_subgroups=True):
        await stage.worker().run()
    (record,) = await stage.journal.records()
    assert record.correction is not None
    assert record.correction.changed == record.correction.subjects == 2 * correction.PER_ROUND
    stage.crash = never
    async with stage.running() as worker:
        await stage.until(lambda: worker.record.correction is None, step=0)
    assert await corrections(stage) == [{"subjects": number, "changed": number}]
    assert [due for _, due in await stage.journal.lanes(0)] == [stage.clock.now() + KEPT]


async def test_work_goes_on_between_two_pages(stage: Stage) -> None:
    await stale(stage, 3 * correction.PER_ROUND)
    async with stage.running() as worker:
        await stage.enrol()
        await stage.until_phase(Phase.COMPLETED)
        await stage.until(lambda: worker.record.correction is None)


async def test_a_resume_after_a_restore_under_a_wrong_clock_counts(stage: Stage) -> None:
    """It is later than the restore, whose time was in the future."""
    truly(stage)
    late, partition = stage.clock.now() + AHEAD, subject_key("-", SubjectKind.PARTITION, "0")
    record = await stage.journal.take_over(0)
    held = Brakes(all_paused=True, paused_since=late, pauses=(StandingPause(since=late),))
    changes = {"time": late, "restored": late, "brakes": held}
    await written(stage.journal, record.model_copy(update=changes))
    async with stage.running() as worker:
        await stage.until(lambda: worker.time.doubt() is None)
        await stage.until(lambda: worker.record.restored <= stage.clock.now())
        (pause,) = worker.record.brakes.standing()
        assert (pause.since or 0) <= stage.clock.now()
        await stage.send(partition, Resumed(by="local:0", reason="looked"))
        await stage.until(lambda: not worker.record.brakes.standing())
        assert worker.record.restored == 0


async def test_a_state_that_cannot_be_read_is_left_as_it_is(stage: Stage, tmp_path: Path) -> None:
    """And hinders no other."""
    await stale(stage, 3)
    await stage.journal.close()
    spoil(tmp_path, "UPDATE states SET state = '{}' WHERE key LIKE '%/000001'")
    await stage.journal.open()
    async with stage.running() as worker:
        await stage.until(lambda: worker.record.correction is None, step=0)
    assert await corrections(stage) == [{"subjects": 3, "changed": 2}]


async def test_a_copy_of_the_journal_is_corrected_from_the_beginning(
    stage: Stage, tmp_path: Path
) -> None:
    """In each of its partitions, because no state says whether that is done."""
    await stale(stage, 3)
    settings = SqliteSettings(path=tmp_path / "copy.sqlite", partitions=2)
    target = SqliteJournal(settings, monotonic=stage.clock.monotonic, on_lost=stage.lost.append)
    await target.open()
    try:
        await copied(stage.journal, target)
        assert [one.correction for one in await target.records()] == [Correction()] * 2
    finally:
        await target.close()
