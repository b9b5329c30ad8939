"""The audit trail of a running worker, cut at its beginning."""

import pytest

from connector.core.audit import CUT, AuditRecord
from connector.core.events import AuditCut, Resumed
from connector.core.journal import Commit
from connector.core.model import DAY, SubjectKind, subject_key
from connector.core.secret import Credential
from connector.core.states import Phase
from connector.operators.auditing import check_journal
from tests.worker.conftest import Stage

KEY = Credential("k" * 32)
PARTITION = subject_key("-", SubjectKind.PARTITION, "0")


async def trail(stage: Stage) -> list[AuditRecord]:
    return [record async for record in stage.journal.audit(0)]


async def cut(stage: Stage, through: int) -> None:
    head = (await trail(stage))[through - 1].mac
    await stage.send(PARTITION, AuditCut(by="local:0", reason="kept", through=through, head=head))
    await stage.until(lambda: told(stage))


async def told(stage: Stage) -> bool:
    return any(entry.action == CUT for entry in await stage.audited())


async def test_a_cut_trail_stays_whole_and_goes_on(stage: Stage) -> None:
    """Records go when the journal is tidied; the rest is chained to the head of what is gone."""
    async with stage.running():
        await stage.enrol()
        await stage.until_phase(Phase.COMPLETED)
        await cut(stage, 3)
        await stage.journal.tidy(0)
        assert (await trail(stage))[0].sequence == 4
        await stage.enrol("8")
        await stage.until_phase(Phase.COMPLETED, "8")
    (report,) = await check_journal(stage.journal, KEY, ())
    assert (report.findings, report.cut) == ((), 3)
    (entry,) = [entry for entry in await stage.audited() if entry.action == CUT]
    assert (entry.actor, entry.reason, entry.details["through"]) == ("local:0", "kept", 3)


@pytest.mark.parametrize("through", [0, 10_000])
async def test_a_cut_that_does_not_fit_changes_nothing(stage: Stage, through: int) -> None:
    """It was overtaken, or names what is not there; that it was asked for is recorded."""
    async with stage.running():
        await stage.enrol()
        await stage.until_phase(Phase.COMPLETED)
        await cut(stage, 3)
        wrong = AuditCut(by="local:0", reason="again", through=through or 2, head="e" * 64)
        await stage.send(PARTITION, wrong)
        await stage.until(lambda: refused(stage))
    (report,) = await check_journal(stage.journal, KEY, ())
    assert (report.findings, report.cut) == ((), 3)


async def refused(stage: Stage) -> bool:
    entries = await stage.audited()
    return any(entry.action == CUT and entry.outcome == "EVT-007" for entry in entries)


async def test_a_person_ends_the_time_after_a_restore(stage: Stage) -> None:
    """By resuming everything; one route is not enough."""
    record = await stage.journal.take_over(0)
    record = record.model_copy(update={"commits": record.commits + 1, "restored": 5})
    await stage.journal.commit(Commit(record=record))

    async def resumed(route: str | None) -> int:
        before = len(await stage.audited())
        await stage.send(PARTITION, Resumed(by="local:0", reason="looked", route=route))

        async def more() -> bool:
            return len(await stage.audited()) > before

        await stage.until(more)
        return (await stage.journal.records())[0].restored

    async with stage.running():
        assert await resumed("staff") == 5
        assert await resumed(None) == 0


async def test_a_resume_from_before_the_restore_does_not_count(stage: Stage) -> None:
    """It lay unread in the backup; who gave it has not looked at what came after."""
    record = await stage.journal.take_over(0)
    late = stage.clock.now() + DAY
    held = record.brakes.model_copy(update={"all_paused": True, "paused_since": 1})
    changes = {"commits": record.commits + 1, "restored": late, "brakes": held}
    await stage.journal.commit(Commit(record=record.model_copy(update=changes)))
    await stage.send(PARTITION, Resumed(by="local:0", reason="before"))

    async def told() -> bool:
        return any(entry.outcome == "JRN-014" for entry in await stage.audited())

    async with stage.running():
        await stage.until(told)
        (after,) = await stage.journal.records()
    assert (after.restored, after.brakes.all_paused) == (late, True)
