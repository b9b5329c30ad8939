"""A pause that is durable lets no act start: cases for any journal."""

from typing import Any

from connector.core.events import DeviceChanged, Event, Paused
from connector.core.journal import Commit
from connector.core.model import SubjectKind, subject_key
from connector.core.states import CopyState, HolderState, Phase
from connector.worker import brakes
from connector.worker.loop import PartitionWorker
from tests.worker.conftest import Stage

BACKLOG = 1500
HOLDERS = 6


class PauseAtCommit:
    """A journal in which a pause becomes durable together with the first act that begins."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._journal = stage.journal
        self.paused = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    async def commit(self, commit: Commit) -> None:
        await self._journal.commit(commit)
        acts = any(
            isinstance(row.state, HolderState) and row.state.running for row in commit.states
        )
        if acts and not self.paused:
            self.paused = True
            await pause(self._stage)


async def pause(stage: Stage) -> None:
    await stage.send(
        subject_key("-", SubjectKind.PARTITION, "0"), Paused(by="local:0", reason="incident")
    )


async def backlog(stage: Stage) -> None:
    """Events that keep the loop busy for many rounds."""
    now = stage.clock.now()
    for start in range(0, BACKLOG, 300):
        await stage.journal.append(
            [
                Event(
                    id=f"backlog-{number}",
                    tenant="acme",
                    subject=subject_key("acme", SubjectKind.DEVICE, str(10_000 + number % 50)),
                    source="workspace-one",
                    received_at=now,
                    body=DeviceChanged(what="compliance"),
                )
                for number in range(start, start + 300)
            ]
        )


async def ready_to_hand_over(stage: Stage) -> None:
    """Some holders whose keys could be handed over, and nothing that may do it."""
    stage.limits = stage.limited(hand_overs=0)
    async with stage.running():
        for number in range(1, HOLDERS + 1):
            await stage.enrol(str(number))

        async def ready() -> bool:
            counts = await stage.journal.counts()
            return counts.get(("holder", "corp", Phase.HANDING_OVER.value), 0) == HOLDERS

        await stage.until(ready)
    stage.effects.begun.clear()


def caught_up(worker: PartitionWorker) -> bool:
    """Whether all events before the pause were read in their turn."""
    return worker.record.position >= worker.record.commands - 1 > 0


class PauseCases:
    """With anything in the queue."""

    async def test_at_start(self, stage: Stage) -> None:
        await ready_to_hand_over(stage)
        await backlog(stage)
        await pause(stage)
        stage.limits = stage.limited()
        async with stage.running() as worker:
            await stage.until(lambda: worker.record.brakes.all_paused)
            assert worker.record.position < worker.record.commands
            await stage.until(lambda: caught_up(worker))
        assert stage.effects.begun == []
        assert stage.world.uploads == []

    async def test_behind_a_backlog(self, stage: Stage) -> None:
        """One hand-over is under way; those that wait for its place do not start any more."""
        await ready_to_hand_over(stage)
        stage.limits = stage.limited(hand_overs=1)
        stage.effects.door.clear()
        async with stage.running() as worker:
            await stage.until(lambda: stage.effects.begun)
            await backlog(stage)
            await pause(stage)
            stage.effects.door.set()
            await stage.until(lambda: caught_up(worker))
            await stage.turns(step=1000)
        assert len(stage.effects.begun) == 1

    async def test_while_draining(self, stage: Stage) -> None:
        """What has not begun to upload is ended, although the service is stopping already."""
        await ready_to_hand_over(stage)
        stage.limits = stage.limited(hand_overs=2)
        stage.effects.door.clear()
        async with stage.running() as worker:
            await stage.until(lambda: len(stage.effects.begun) == 2)
            worker.stop()
            await backlog(stage)
            await pause(stage)
            await stage.until(lambda: stage.effects.held)
            stage.effects.door.set()
        assert stage.effects.held == 2
        assert len(stage.effects.begun) == 2
        assert worker.record.brakes.all_paused

    async def test_just_before_a_fork(self, stage: Stage) -> None:
        """An act whose record is durable already is not begun; it proves that nothing was sent."""
        await ready_to_hand_over(stage)
        stage.journal = PauseAtCommit(stage)  # type: ignore[assignment] # all else is the journal's
        stage.limits = stage.limited(ceiling=1000)
        async with stage.running() as worker:
            await stage.until(lambda: worker.record.brakes.all_paused)
            await stage.turns(step=1000)
        assert stage.effects.begun == []
        assert brakes.disclosed(worker.record.brakes, stage.clock.now()) == 0
        for number in range(1, HOLDERS + 1):
            state = await stage.holder(str(number))
            assert state is not None
            assert (state.running, state.copy_.state) == (None, CopyState.NONE)
