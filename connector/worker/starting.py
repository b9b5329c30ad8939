"""Starts what a durable round lets start, unless a brake has come meanwhile."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from connector.core.journal import PartitionRecord
from connector.core.states import ACTS, Brakes, HolderState
from connector.crash import CrashPoint
from connector.worker.admission import Ready
from connector.worker.gathering import Gathering
from connector.worker.refunds import Refunds
from connector.worker.round import RoundDraft
from connector.worker.running_effects import RunningEffects
from connector.worker.upstream_limits import UpstreamLimits, paused


@dataclass(frozen=True, slots=True)
class Start:
    """What a round that is durable lets start; ``decided``: when, in monotonic seconds."""

    draft: RoundDraft
    ready: list[Ready]
    decided: float


@dataclass(frozen=True, slots=True)
class Groups:
    """Where effects run: an act may outlive the ownership of its partition, a look does not."""

    looks: asyncio.TaskGroup
    acts: asyncio.TaskGroup


class Starter:
    """Starts looks and acts whose permits are taken."""

    def __init__(
        self,
        limits: UpstreamLimits,
        running: RunningEffects,
        gathering: Gathering,
        refunds: Refunds,
        crash: CrashPoint,
    ) -> None:
        self._limits = limits
        self._running = running
        self._gathering = gathering
        self._refunds = refunds
        self._crash = crash

    async def start(self, groups: Groups, start: Start, record: PartitionRecord) -> None:
        """Start it all; an act that a brake overtook ends as one that was not begun."""
        held = await self._brakes(start, record)
        for one in start.ready:
            state = start.draft.state(one.key)
            if one.lane.effect not in ACTS:
                self._running.look(groups.looks, one.lane, state, start.draft.now)
            elif isinstance(state, HolderState) and state.running is not None:
                running, at = state.running, start.draft.now
                self._refunds.counted(one.key, running.attempt, at, one.keys)
                if paused(held, one.lane.route):
                    self._running.not_begun(one.lane, one.key, running)
                    continue
                deadline = start.decided + running.limit / 1000
                self._running.act(groups.acts, one.lane, one.key, running, deadline)
        if start.ready:
            self._crash("loop.after_start")

    def give_back(self, ready: Iterable[Ready]) -> None:
        """Nothing of it starts."""
        for one in ready:
            self._limits.give_back(one.lane)

    async def _brakes(self, start: Start, record: PartitionRecord) -> Brakes:
        """The brakes to obey now: one may have come while the round was written."""
        if all(one.lane.effect not in ACTS for one in start.ready):
            return record.brakes
        try:
            return await self._gathering.newest_brakes(record, start.draft.now)
        except BaseException:
            self.give_back(start.ready)
            raise
