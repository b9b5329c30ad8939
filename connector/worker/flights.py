"""Effects in flight: started by the loop, their outcomes handed back to it."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from connector.core.facts import Acted, Looked
from connector.core.model import SubjectKey
from connector.core.states import Effect, HolderState, Running
from connector.crash import CrashPoint
from connector.worker.effects import Effects, Subject
from connector.worker.gate import Gate, Lane

Outcome = tuple[SubjectKey, Looked | Acted]

NOWHERE = Lane(Effect.WAIT, None, None)
"""The lane of an outcome that waits to be written down; it occupies no permit."""


class Flights:
    """Starts effects and collects what they bring back. One effect per subject at a time.

    Args:
        effects: performs them.
        gate: takes the permits back.
        monotonic: seconds, for durations.
        landed: called whenever an outcome has come.
        crash: crash points.
    """

    def __init__(
        self,
        effects: Effects,
        gate: Gate,
        monotonic: Callable[[], float],
        landed: Callable[[], None],
        crash: CrashPoint,
    ) -> None:
        """Nothing flies yet."""
        self._effects = effects
        self._gate = gate
        self._monotonic = monotonic
        self._notify = landed
        self._crash = crash
        self._lanes: dict[SubjectKey, Lane] = {}
        self._in_lane: Counter[Lane] = Counter()
        self._landed: deque[Outcome] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._acts: set[asyncio.Task[None]] = set()

    def __contains__(self, key: object) -> bool:
        """Whether an effect of this subject is in flight or its outcome still waits."""
        return key in self._lanes

    def __len__(self) -> int:
        """How many effects are in flight or wait to be taken."""
        return len(self._lanes)

    def in_lane(self, lane: Lane) -> int:
        """How many effects of a lane are in flight."""
        return self._in_lane[lane]

    def take(self) -> list[Outcome]:
        """All outcomes that have come, in their order."""
        landed = list(self._landed)
        self._landed.clear()
        for key, _ in landed:
            lane = self._lanes.pop(key)
            if lane is not NOWHERE:
                self._in_lane[lane] -= 1
        return landed

    def give_back(self, outcomes: Iterable[Outcome]) -> None:
        """Outcomes that could not be written down wait again, before those that came since."""
        for key, fact in reversed(list(outcomes)):
            self._landed.appendleft((key, fact))
            self._lanes[key] = NOWHERE

    def look(self, group: asyncio.TaskGroup, lane: Lane, state: Subject) -> None:
        """Start a look whose permits are taken."""
        self._tasks.add(self._start(group, state.key, lane, self._look(lane, state)))

    def act(
        self, group: asyncio.TaskGroup, lane: Lane, state: HolderState, running: Running
    ) -> None:
        """Start an act whose ``running`` is durable and whose permits are taken."""
        task = self._start(group, state.key, lane, self._act(lane, state, running))
        self._tasks.add(task)
        self._acts.add(task)
        task.add_done_callback(self._acts.discard)

    async def acts_ended(self, seconds: float) -> None:
        """Wait until the acts in flight have ended, at the most so long."""
        if self._acts:
            await asyncio.wait(self._acts, timeout=seconds)

    def cancel(self) -> None:
        """End everything in flight; what was an act is found open by the next owner."""
        for task in self._tasks:
            task.cancel()

    def hold(self) -> None:
        """A brake was applied: end acts that have not begun to upload."""
        self._effects.hold()

    def _start(
        self,
        group: asyncio.TaskGroup,
        key: SubjectKey,
        lane: Lane,
        work: Coroutine[Any, Any, None],
    ) -> asyncio.Task[None]:
        self._lanes[key] = lane
        self._in_lane[lane] += 1
        task = group.create_task(work)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _look(self, lane: Lane, state: Subject) -> None:
        started = self._monotonic()
        fact = await self._effects.look(lane.effect, state)
        self._land(lane, state.key, fact, started)

    async def _act(self, lane: Lane, state: HolderState, running: Running) -> None:
        started = self._monotonic()
        self._crash("act.before")
        fact = await self._effects.act(state, running)
        self._crash("act.after")
        self._land(lane, state.key, fact, started)

    def _land(self, lane: Lane, key: SubjectKey, fact: Looked | Acted, started: float) -> None:
        fault = fact.fault or getattr(getattr(fact, "result", None), "fault", None)
        self._gate.leave(lane, fault, self._monotonic() - started)
        self._landed.append((key, fact))
        self._notify()
