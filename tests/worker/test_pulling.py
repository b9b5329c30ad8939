"""Pulling from a feed: no page is lost and none counts twice, wherever it is cut off."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from connector.core.errors import Permanent, Scope, Transient
from connector.core.events import Event, Paused, SourcePulled
from connector.core.model import SubjectKind, subject_key
from connector.worker.owners import Owners
from connector.worker.pulling import AGAIN, PARTITION
from tests.worker.conftest import Stage, StubbornJournal
from tests.worker.feeds import EVERY, NAME, Puller, pulling
from tests.worker.test_owners import QUICK, Group

DEVICES = [str(number) for number in range(5)]


@pytest.fixture
def puller(stage: Stage) -> Puller:
    return Puller(stage)


async def test_pages_are_stored_in_order_and_the_position_behind_them(
    stage: Stage, puller: Puller
) -> None:
    """What is there already is pulled at once, the rest at the set interval."""
    puller.feed.devices = DEVICES
    async with stage.running() as worker, pulling(puller, worker):
        await stage.until(lambda: len(puller.heard.pages) > 4)
    assert puller.feed.asked[:4] == [None, "2", "4", "5"]
    assert puller.slept[:4] == [0, 0, EVERY / 1000, EVERY / 1000]
    assert puller.heard.pages[0] == {("device_enrolled", True): 2}
    assert await puller.stored() == DEVICES
    position = await puller.position()
    assert position is not None
    assert position.position == "5"


async def test_pulling_goes_on_behind_the_position_after_a_restart(
    stage: Stage, puller: Puller
) -> None:
    puller.feed.devices = DEVICES[:3]
    async with stage.running() as worker, pulling(puller, worker):
        await stage.until(lambda: worker.record.pulled)
        await stage.until(lambda: worker.record.pulled[NAME].position == "3")
    puller.feed.asked.clear()
    puller.feed.devices = DEVICES
    async with stage.running() as worker, pulling(puller, worker):
        await stage.until(lambda: len(puller.feed.asked) > 1)
    assert puller.feed.asked[:2] == ["3", "5"]
    assert await puller.stored() == DEVICES


async def test_during_a_pause_events_are_pulled(stage: Stage, puller: Puller) -> None:
    """As notifications are taken: a pause holds back acts only."""
    await stage.send(subject_key("-", SubjectKind.PARTITION, "0"), Paused(by="anna"))
    puller.feed.devices = DEVICES
    async with stage.running() as worker, pulling(puller, worker):
        await stage.until(lambda: worker.record.brakes.all_paused)
        await stage.until(lambda: len(puller.heard.pages) > 2)
    assert await puller.stored() == DEVICES


class DeadlyJournal(StubbornJournal):
    """The real journal; the process dies as it appends a position, before or after that."""

    dies: str = ""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]
        self.died = asyncio.Event()

    async def append(self, new: Sequence[Event]) -> list[bool]:
        is_position = any(isinstance(event.body, SourcePulled) for event in new)
        if is_position and self.dies == "before":
            await self._die()
        stored = await super().append(new)
        if is_position and self.dies == "after":
            await self._die()
        return stored

    async def _die(self) -> None:
        self.died.set()
        await asyncio.Event().wait()


@pytest.fixture
async def deadly(tmp_path: Path) -> AsyncIterator[Stage]:
    made = Stage(tmp_path, journal=DeadlyJournal)
    await made.journal.open()
    yield made
    await made.journal.close()


@pytest.mark.parametrize("dies", ["before", "after"])
async def test_a_page_whose_position_was_not_noted_comes_again_and_counts_once(
    deadly: Stage, dies: str
) -> None:
    """Killed between the events and their position, or before that was applied."""
    puller, journal = Puller(deadly), deadly.journal
    assert isinstance(journal, DeadlyJournal)
    journal.dies = dies
    puller.feed.devices = DEVICES
    first = deadly.worker()
    await first.take_over()  # it never turns: nothing that is appended is applied
    async with pulling(puller, first):
        await journal.died.wait()
    assert await puller.stored() == DEVICES[:2]
    assert await puller.position() is None
    journal.dies = ""
    async with deadly.running() as worker, pulling(puller, worker):
        await deadly.until(lambda: worker.record.pulled)
        await deadly.until(lambda: worker.record.pulled[NAME].position == "5")
    assert puller.feed.asked[:3] == [None, None, "2"]
    assert puller.heard.pages[0] == {("device_enrolled", False): 2}
    assert await puller.stored() == DEVICES


async def test_a_former_owner_does_not_move_the_position(stage: Stage, puller: Puller) -> None:
    """Its epoch is older than that of the owner whose position is noted."""
    puller.feed.devices = DEVICES
    async with stage.running() as worker, pulling(puller, worker):
        await stage.until(lambda: worker.record.pulled)
        await stage.until(lambda: worker.record.pulled[NAME].position == "5")
        commands = worker.record.commands
        await stage.send(PARTITION, SourcePulled(sender=NAME, position="2", epoch=0))
        await stage.until(lambda: worker.record.commands > commands)
        assert worker.record.pulled[NAME].position == "5"


async def test_failures_are_repeated_with_growing_pauses(stage: Stage, puller: Puller) -> None:
    """Half of each step by these dice; what the upstream asks for is the least."""
    puller.feed.trouble = Transient("UEM-009", "pulling")
    async with stage.running() as worker, pulling(puller, worker):
        await stage.until(lambda: len(puller.slept) > 7)
        steps = [min(AGAIN.first * 2**step, AGAIN.cap) / 2000 for step in range(7)]
        assert puller.slept[:7] == steps
        puller.feed.trouble = Transient("UEM-004", "pulling", retry_after=90)
        await stage.until(lambda: puller.slept[-1] == 90)
        puller.feed.trouble = None
        await stage.until(lambda: puller.heard.pages)
        assert puller.slept[-1] == EVERY / 1000
        puller.feed.trouble = Transient("UEM-009", "pulling")
        await stage.until(lambda: puller.slept[-1] != EVERY / 1000)
        again = puller.slept[puller.slept.index(EVERY / 1000) :]
        assert next(pause for pause in again if pause != EVERY / 1000) == steps[0]
    assert {fault.code for fault in puller.heard.faults} == {"UEM-009", "UEM-004"}


async def test_an_outage_is_the_breakers_and_the_pull_its_probe(
    stage: Stage, puller: Puller
) -> None:
    """While the upstream is down it is asked at the breaker's pace, and nothing else is needed."""
    puller.feed.trouble = Transient("UEM-001", "pulling", scope=Scope.UPSTREAM, upstream=NAME)
    async with stage.running() as worker, pulling(puller, worker):
        await stage.until(lambda: stage.alarms, step=0)
        assert stage.limits.states()[NAME].state == "open"
        asked = len(puller.feed.asked)
        await stage.turns(step=0)
        assert len(puller.feed.asked) == asked
        stage.clock.advance(1000)
        await stage.until(lambda: len(puller.feed.asked) > asked, step=0)
        puller.feed.trouble = None
        await stage.until(lambda: stage.limits.states()[NAME].state == "closed")
    assert (NAME, "half_open") in stage.alarms


async def test_a_probe_that_was_cancelled_is_sent_by_the_next_owner(
    stage: Stage, puller: Puller
) -> None:
    """What runs no more takes no place and keeps no other probe waiting."""
    puller.feed.trouble = Transient("UEM-001", "pulling", scope=Scope.UPSTREAM, upstream=NAME)
    async with stage.running() as worker:
        async with pulling(puller, worker):
            await stage.until(lambda: stage.alarms, step=0)
            puller.feed.door.clear()
            stage.clock.advance(1000)
            await stage.until(lambda: puller.feed.running, step=0)
        puller.feed.door.set()
        puller.feed.trouble = None
        async with pulling(puller, worker):
            await stage.until(lambda: puller.heard.pages, step=0)


async def test_a_pull_that_takes_too_long_is_an_outage(stage: Stage) -> None:
    """A plug-in that does not answer is given up, and pulling goes on."""
    puller = Puller(stage, limit=0)
    puller.feed.door.clear()
    async with stage.running() as worker, pulling(puller, worker):
        await stage.until(lambda: puller.heard.faults, step=0)
    assert {fault.code for fault in puller.heard.faults} == {"UEM-001"}
    assert puller.unexpected == []


async def test_an_error_that_plug_ins_must_not_raise_is_tried_again(
    stage: Stage, puller: Puller
) -> None:
    puller.feed.trouble = KeyError("a secret text")
    async with stage.running() as worker, pulling(puller, worker):
        await stage.until(lambda: len(puller.heard.faults) > 1)
    assert {(fault.code, fault.detail) for fault in puller.heard.faults} == {
        ("PLG-001", "raised KeyError")
    }
    assert set(puller.unexpected) == {"pull"}


async def test_a_lost_journal_ends_pulling(stage: Stage, puller: Puller) -> None:
    """The worker ends by it, too, and with it the process."""
    puller.feed.trouble = Permanent("JRN-002", "appending")
    with pytest.raises(Permanent, match="JRN-002"):
        await puller.pulling.run(stage.worker().record)


async def noted(group: Group, position: str) -> bool:
    """Whether the record of partition 0 has this position."""
    first, *_ = await group.journal.records()
    return NAME in first.pulled and first.pulled[NAME].position == position


async def test_pulling_moves_with_partition_0_and_is_never_done_twice(tmp_path: Path) -> None:
    """An owner stops before it gives the partition up; the next goes on behind its position."""
    group = Group(tmp_path)
    await group.journal.open()
    puller = Puller(group)
    puller.feed.devices = DEVICES[:3]
    owners = Owners(group.journal, group.worker, duties=puller.pulling.run, options=QUICK)
    group.moving.give(0)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(owners.run())
        await group.until(lambda: noted(group, "3"))
        puller.feed.door.clear()
        await group.until(lambda: puller.feed.running)
        group.moving.give(1)
        await group.works_on(owners, 1)
        assert (puller.feed.running, puller.heard.stops) == (0, 1)
        puller.feed.door.set()
        asked = len(puller.feed.asked)
        await group.turns()
        assert len(puller.feed.asked) == asked
        puller.feed.devices = DEVICES
        group.moving.give(0)
        await group.until(lambda: len(puller.feed.asked) > asked + 1)
        owners.stop()
    assert puller.feed.asked[asked : asked + 2] == ["3", "5"]
    assert puller.feed.most == 1
    assert puller.heard.stops == 2
    await group.journal.close()
