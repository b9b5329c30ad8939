"""Running effects: started by the loop, which takes their outcomes back."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from connector.core.errors import Transient
from connector.core.facts import Acted, HandedOver, Looked, failed
from connector.core.handover import NotSent
from connector.core.model import Millis, SubjectKey
from connector.core.states import ACTS, Effect, Running
from connector.crash import CrashPoint
from connector.worker.circuit_breaker import CircuitBreaker
from connector.worker.ports import Effects, Subject
from connector.worker.upstream_limits import Lane, UpstreamLimits

Ended = Looked[Any] | Acted
Perform = Callable[[], Coroutine[Any, Any, Ended]]
Outcome = tuple[SubjectKey, Ended]

NOWHERE = Lane(Effect.WAIT, None, None)
"""The lane of an outcome that waits to be written down; it occupies no permit."""


class RunningEffects:
    """Starts effects and collects their outcomes. One effect per subject at a time.

    Args:
        effects: performs them.
        limits: takes the permits back.
        monotonic: seconds, for durations.
        finished: called when an outcome has arrived.
        crash: crash points.
    """

    def __init__(
        self,
        effects: Effects,
        limits: UpstreamLimits,
        monotonic: Callable[[], float],
        finished: Callable[[], None],
        crash: CrashPoint,
    ) -> None:
        self._effects = effects
        self._limits = limits
        self._monotonic = monotonic
        self._notify = finished
        self._crash = crash
        self._lanes: dict[SubjectKey, Lane] = {}
        self._finished: deque[Outcome] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._acts: dict[asyncio.Task[None], Lane] = {}
        self._dropped = False

    def __contains__(self, key: object) -> bool:
        """Whether an effect of this subject is running or its outcome was not taken yet."""
        return key in self._lanes

    def __len__(self) -> int:
        """How many effects are running or have an outcome that was not taken yet."""
        return len(self._lanes)

    @property
    def finished(self) -> Iterator[SubjectKey]:
        """The subjects with outcomes that were not taken yet."""
        return (key for key, _ in self._finished)

    def take(self) -> list[Outcome]:
        """Take all outcomes, in the order in which they arrived."""
        finished = list(self._finished)
        self._finished.clear()
        for key, _ in finished:
            del self._lanes[key]
        return finished

    def give_back(self, outcomes: Iterable[Outcome]) -> None:
        """Put outcomes back that could not be committed, before those that arrived since."""
        for key, fact in reversed(list(outcomes)):
            self._finished.appendleft((key, fact))
            self._lanes[key] = NOWHERE

    def look(self, group: asyncio.TaskGroup, lane: Lane, state: Subject, now: Millis) -> None:
        """Start a look whose permits are taken, at a journal time."""
        look = partial(self._effects.look, lane.effect, state, now)
        self._tasks.add(self._start(group, state.key, lane, look))

    def probe(self, group: asyncio.TaskGroup, upstreams: Mapping[str, CircuitBreaker]) -> None:
        """Probe upstreams, except those that another partition's loop is probing."""
        for upstream, breaker in upstreams.items():
            if breaker.probe_due():
                breaker.probe_begun()
                task = group.create_task(self._probe(upstream, breaker))
                self._tasks.add(task)
                task.add_done_callback(partial(self._probed, breaker))

    def ask(self, group: asyncio.TaskGroup, upstreams: Iterable[str]) -> None:
        """Ask upstreams something cheap, for the time that their answers carry."""
        for upstream in upstreams:
            task = group.create_task(self._ask(upstream))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _ask(self, upstream: str) -> None:
        await self._effects.probe(upstream)
        self._notify()

    def _probed(self, breaker: CircuitBreaker, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        breaker.probe_withdrawn()

    async def _probe(self, upstream: str, breaker: CircuitBreaker) -> None:
        breaker.probed(await self._effects.probe(upstream))
        self._notify()

    def act(
        self,
        group: asyncio.TaskGroup,
        lane: Lane,
        key: SubjectKey,
        running: Running,
        deadline: float,
    ) -> None:
        """Start an act whose ``running`` is durable and whose permits are taken.

        ``deadline``: on the monotonic clock, see :meth:`connector.worker.ports.Effects.act`.
        """
        task = self._start(group, key, lane, partial(self._act, key, running, deadline))
        self._tasks.add(task)
        self._acts[task] = lane

    def not_begun(self, lane: Lane, key: SubjectKey, running: Running) -> None:
        """End an act that was committed but that a brake stopped before it began."""
        self._limits.give_back(lane)
        self._lanes[key] = NOWHERE
        self._finished.append((key, _not_begun(running)))
        self._notify()

    @property
    def acting(self) -> bool:
        """Whether an act is running."""
        return bool(self._acts)

    def cancel(self) -> None:
        """Cancel everything; the next owner finds the acts open."""
        for task in self._tasks:
            task.cancel()

    def drop(self) -> None:
        """End everything except uploading hand-overs: the partition has another owner.

        Those run to their end, which the new owner waits for; their outcome is discarded here.
        """
        self._dropped = True
        handing = {task for task, lane in self._acts.items() if lane.effect is Effect.HAND_OVER}
        for task in self._tasks - handing:
            task.cancel()
        self.hold(lambda _: True)

    def hold(self, held: Callable[[Lane], bool]) -> None:
        """End hand-overs in these lanes that have not started to upload."""
        keys = {key for key, lane in self._lanes.items() if lane.effect in ACTS and held(lane)}
        if keys:
            self._effects.hold(keys)

    def _start(
        self, group: asyncio.TaskGroup, key: SubjectKey, lane: Lane, perform: Perform
    ) -> asyncio.Task[None]:
        self._lanes[key] = lane
        task = group.create_task(self._run(lane, key, perform))
        task.add_done_callback(lambda ended: self._ended(ended, lane))
        return task

    def _ended(self, task: asyncio.Task[None], lane: Lane) -> None:
        self._tasks.discard(task)
        self._acts.pop(task, None)
        if task.cancelled():
            self._limits.give_back(lane)

    async def _run(self, lane: Lane, key: SubjectKey, perform: Perform) -> None:
        started = self._monotonic()
        fact = await perform()
        self._limits.leave(lane, fact.fault, self._monotonic() - started)
        self._finished.append((key, fact))
        self._notify()

    async def _act(self, key: SubjectKey, running: Running, deadline: float) -> Acted:
        if self._dropped:
            raise asyncio.CancelledError
        self._crash("act.before")
        fact = await self._effects.act(key, running, deadline)
        self._crash("act.after")
        return fact


def _not_begun(running: Running) -> Acted:
    fault = Transient("HND-006", "acting: paused before it started").fault()
    if running.effect is Effect.HAND_OVER:
        return HandedOver(running.attempt, NotSent(fault=fault))
    return failed(running.effect, running.attempt, fault)
