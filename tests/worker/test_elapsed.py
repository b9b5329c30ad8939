"""Deadlines that have passed are looked at page after page, without a wait between the pages."""

from pathlib import Path

from connector.core.journal import Commit, StateRow
from connector.core.model import Millis, SubjectKind, subject_key
from connector.core.states import DeviceState, DeviceStatus, Effect, Want
from connector.worker.upstream_limits import ELAPSED_PER_ROUND
from tests.worker.conftest import Stage, StubbornJournal

PAGES = 6
DEVICES = [
    subject_key("acme", SubjectKind.DEVICE, str(number))
    for number in range(PAGES * ELAPSED_PER_ROUND)
]


class CountingJournal(StubbornJournal):
    """The loop asks for the lanes once in each round, and once before each wait."""

    asked = 0

    async def lanes(self, partition: int) -> list[tuple[str, Millis]]:
        self.asked += 1
        return await super().lanes(partition)


def left_long_ago(key: str) -> StateRow:
    state = DeviceState(
        key=key,
        version=1,
        status=DeviceStatus.LEFT,
        ended_at=1,
        wants=(Want(effect=Effect.WAIT, due=1, lane=Effect.WAIT.value),),
    )
    return StateRow(key=key, state=state)


async def test_pages_of_deadlines_follow_each_other_without_a_wait(tmp_path: Path) -> None:
    """Each page was followed by a wait of a second: 13 minutes for a hundred thousand."""
    stage = Stage(tmp_path, journal=CountingJournal)
    journal = stage.journal
    assert isinstance(journal, CountingJournal)
    await journal.open()
    record = await journal.take_over(0)
    record = record.model_copy(update={"commits": 1})
    await journal.commit(Commit(record=record, states=tuple(map(left_long_ago, DEVICES))))

    async def all_forgotten() -> bool:
        return not await journal.load(DEVICES)

    async with stage.running():
        while not await all_forgotten():
            await journal.wait(0, 0.005)
        rounds_and_waits = journal.asked
    await journal.close()
    assert rounds_and_waits <= PAGES + 2
