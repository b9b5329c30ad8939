"""A subject that is forgotten after a copy and comes back sends events with ids of their own."""

from pathlib import Path

from connector.core.boot_time import BootTime
from connector.core.events import Event, HolderRegistered
from connector.core.journal import PartitionRecord, StateRow
from connector.core.model import SubjectKey, SubjectKind, partition_of, subject_key
from connector.core.policy import Retry, Rules
from connector.core.states import HolderState
from connector.core.step import Step
from connector.worker.round import RoundDraft
from connector_testkit.conformance.journal_samples import holder, subjects, written
from tests.journal.copied import NOW, copied
from tests.journal.test_copy import NEW, OLD, journal

PERSON = subject_key("main", SubjectKind.PERSON, "mara")
COMMITS = 60
RULES = Rules(
    routes={},
    epoch=1,
    boot=BootTime("here", 0),
    device_retry=Retry(first=1, cap=1),
    device_deadline=1,
    deadlines_held=False,
    dice=lambda: 0.5,
)


def registration(record: PartitionRecord, key: SubjectKey, version: int | None = None) -> Event:
    """What a holder asks of its person in the next round; without ``version``, a forgotten one."""
    known = {} if version is None else {key: holder(key, version=version)}
    state = RoundDraft(record, now=NOW, rules=RULES, loaded=known).state(key)
    assert isinstance(state, HolderState)
    step = Step(state, NOW, RULES)
    step.tell(PERSON, HolderRegistered(holder=key))
    return step.events[0]


async def test_a_holder_who_is_forgotten_after_a_copy_is_registered_again(tmp_path: Path) -> None:
    """Below its earlier versions, the event would have an id that the person has consumed."""
    source, target = journal(tmp_path / "source.db", OLD), journal(tmp_path / "target.db", NEW)
    await source.open()
    await target.open()
    theirs = partition_of(PERSON, OLD)
    key = next(subjects(source, 1 - theirs))
    record = await source.take_over(1 - theirs)
    for _ in range(COMMITS):
        state = holder(key, version=record.commits + 1)
        record = await written(source, record, states=[StateRow(key=key, state=state)])
    before = [registration(record, key, version) for version in range(COMMITS)]
    assert await source.append(before) == [True] * COMMITS
    read = await source.read(theirs, 0, COMMITS)
    record = (await source.take_over(theirs)).model_copy(update={"time": NOW})
    await written(source, record, position=read[-1].position)
    await copied(source, target)
    records = await target.records()
    again = registration(records[partition_of(key, NEW)], key)
    assert await target.append([again, before[-1]]) == [True, False]
    assert all(one.commits >= COMMITS for one in records)
    await source.close()
    await target.close()
