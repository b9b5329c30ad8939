"""A state that this version cannot read holds up its own subject only."""

import sqlite3
from pathlib import Path

import pytest

from connector.core.events import CertificatesChanged
from connector.core.journal import DeadLetterFilter, StateRow
from connector.core.model import SubjectKind, subject_key
from connector.core.states import Phase
from connector.worker.gathering import FOUND_PER_ROUND
from connector_testkit.conformance.journal_samples import acting, written
from tests.worker.conftest import Stage

SICK = subject_key("acme", SubjectKind.HOLDER, "7")


def spoil(folder: Path, statement: str) -> None:
    """Change the closed journal as a newer version could have written it."""
    with sqlite3.connect(folder / "journal.sqlite") as database:
        database.execute(statement)
    database.close()


NEWER_MEMBER = """
    UPDATE states SET state = replace(CAST(state AS TEXT), '"kind":"holder"',
        '"kind":"holder","member_of_tomorrow":1') WHERE kind = 'holder'"""
NEWER_EFFECT = """
    INSERT INTO wants (key, lane, due, partition) VALUES ('acme/user/7', 'ask_people:corp', 1, 0)"""


@pytest.mark.parametrize("statements", [[NEWER_MEMBER], [NEWER_MEMBER, NEWER_EFFECT]])
async def test_others_go_on(stage: Stage, tmp_path: Path, statements: list[str]) -> None:
    """It is audited and reported, its events are kept as dead letters, and no act of it starts."""
    async with stage.running():
        await stage.enrol("7")
        await stage.until_phase(Phase.AWAITING_PURGE, "7")
    await stage.journal.close()
    for statement in statements:
        spoil(tmp_path, statement)
    await stage.journal.open()
    stage.effects.begun.clear()
    async with stage.running():
        await stage.send(SICK, CertificatesChanged(what="renewed"), name="for the sick one")
        await stage.enrol("8")
        await stage.until_phase(Phase.COMPLETED, "8")
        await stage.until(lambda: {one.key for one in stage.failures} == {SICK})
    failed = [one for one in await stage.audited() if one.action == "subject.failed"]
    assert {(one.subject, one.outcome) for one in failed} == {(SICK, "EVT-005")}
    letters = await stage.journal.dead_letters(DeadLetterFilter())
    assert [stage.journal.revive(one).id for one in letters] == ["for the sick one"]


async def test_open_acts_behind_many_unreadable_ones_are_found(
    stage: Stage, tmp_path: Path
) -> None:
    """More of them than one round looks at: each is reported once, and the readable one goes on."""
    keys = [subject_key("acme", SubjectKind.HOLDER, f"{n}") for n in range(FOUND_PER_ROUND + 3)]
    record = await stage.journal.take_over(0)
    await written(
        stage.journal,
        record,
        states=[StateRow(key=key, state=acting(key, record.epoch)) for key in keys],
    )
    await stage.journal.close()
    spoil(tmp_path, f"{NEWER_MEMBER} AND key <> '{keys[-1]}'")
    await stage.journal.open()
    async with stage.running():
        await stage.turns(6)
    found = [one.subject for one in await stage.audited() if one.action == "act.outcome_unknown"]
    assert found == keys[-1:]
    assert len([one for one in await stage.audited() if one.action == "subject.failed"]) == len(
        keys[:-1]
    )
