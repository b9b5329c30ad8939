"""One loop per partition: gather, advance, commit once, start effects."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence

from connector.core.audit import AuditRecord
from connector.core.errors import Transient
from connector.core.facts import ActFound
from connector.core.journal import Journal, PartitionRecord
from connector.core.metrics import Metrics
from connector.core.model import SubjectKey
from connector.core.policy import RoutePolicy, Rules
from connector.core.ports import Clock
from connector.core.secret import Credential
from connector.crash import CrashPoint, never
from connector.worker import brakes, partition_commands, reading
from connector.worker.admission import Admission, Ready
from connector.worker.gathering import Gathered, Gathering, only_for_now
from connector.worker.options import WorkerOptions, untold
from connector.worker.oversized import OnceMore, Oversized
from connector.worker.partition_clock import PartitionClock
from connector.worker.ports import Effects
from connector.worker.quarantine import Quarantine, record_failures
from connector.worker.refunds import Refunds
from connector.worker.round import Failure, RoundDraft
from connector.worker.round_publisher import RoundPublisher
from connector.worker.running_effects import Outcome, RunningEffects
from connector.worker.server_dates import ServerDates
from connector.worker.starting import Groups, Start, Starter
from connector.worker.state_cache import StateCache
from connector.worker.upstream_limits import UpstreamLimits, paused

LONGEST_WAIT = 1.0
SOON = 0.05
"""Seconds until commands that were not all looked through are asked for again."""


class PartitionWorker:
    """Owns one partition of the journal and does its work.

    Args:
        journal: where events, states and audit are.
        partition: which one.
        effects: performs looks and acts.
        limits: brakes, breakers, rates, room.
        clock: wall and monotonic clock.
        routes: the present policies.
        dice: numbers in [0, 1) for jitter.
        audit_key: MAC key of the audit chain.
        metrics: counts the business moments.
        crash: crash points.
        options: see :class:`WorkerOptions`.
        dates: what the upstreams of the process say of the time.
        tell: called with each audit record once it is durable.
        alarm: called with each fact at which the program failed.
    """

    def __init__(  # noqa: PLR0913 - the loop needs each of them, all named
        self,
        *,
        journal: Journal,
        partition: int,
        effects: Effects,
        limits: UpstreamLimits,
        clock: Clock,
        routes: Callable[[], Mapping[str, RoutePolicy]],
        dice: Callable[[], float],
        audit_key: Credential,
        metrics: Metrics,
        crash: CrashPoint,
        options: WorkerOptions,
        dates: ServerDates,
        tell: Callable[[AuditRecord], None] = untold,
        alarm: Callable[[Failure], None] = untold,
    ) -> None:
        self._journal = journal
        self._cache = StateCache(journal)
        self._partition = partition
        self._limits = limits
        self._clock = clock
        self._routes = routes
        self._dice = dice
        self._audit_key = audit_key
        self._metrics = metrics
        self._crash = crash
        self._options = options
        self._publisher = RoundPublisher(metrics, tell, alarm)
        self._wake = asyncio.Event()
        self._running = RunningEffects(effects, limits, clock.monotonic, self._wake.set, crash)
        self._stopping = False
        self._quarantine = Quarantine(clock.monotonic)
        self._oversized = Oversized()
        self._refunds = Refunds()
        self._admission = Admission(journal, partition, limits, self._running, self._quarantine)
        self._gathering = Gathering(journal, partition, self._admission, self._running)
        self._starter = Starter(limits, self._running, self._gathering, self._refunds, crash)
        self._record = PartitionRecord(partition=partition)
        self.time = PartitionClock(clock, options, dates)
        self.owned = asyncio.Event()
        """Set once the partition is owned and the loop turns."""

    @property
    def record(self) -> PartitionRecord:
        """The partition's own record as last committed."""
        return self._record

    def now(self) -> int:
        """Journal time in milliseconds."""
        return self.time.now()

    def stop(self) -> None:
        """Ask the loop to drain and end."""
        self._stopping = self._gathering.stopping = True
        self._wake.set()

    def wake(self) -> None:
        """Let the loop look again at once (credentials were reloaded)."""
        self._wake.set()

    async def run(self) -> None:
        """Own the partition until :meth:`stop`; see :meth:`take_over` and :meth:`turn`."""
        await self.take_over()
        async with asyncio.TaskGroup() as acts:
            await self.turn(acts)

    async def take_over(self) -> None:
        """Become the owner.

        Raises:
            Transient: ``JRN-001`` when that is not possible now.
            Permanent: ``JRN-002`` when the journal is lost, ``JRN-010`` when half copied,
                ``AUD-004`` when the trail was made with another key.
        """
        self._cache.forget()
        self._record = await self._journal.take_over(self._partition)
        partition_commands.require_ours(self._record, self._audit_key)
        self._quarantine.taken_over(self._record.held_up)
        self._known(self._record)
        self._publisher.chain(self._record, self._record.time)
        self.time.start(self._record)
        self._crash("loop.after_take_over")
        self.owned.set()

    async def turn(self, acts: asyncio.TaskGroup) -> None:
        """Do the work until :meth:`stop`, and then drain. Cancelled: drop everything at once.

        Args:
            acts: where acts run, so that an upload outlives a partition that is another's now.

        Raises:
            Transient: ``JRN-003`` when another owner has taken it over.
            Permanent: ``JRN-002`` when the journal is lost.
        """
        try:
            async with asyncio.TaskGroup() as looks:
                listening = looks.create_task(self._listen())
                while not self._stopping:
                    if not await self._turn(looks, acts):
                        await self._rest()
                await self._drain(looks, acts)
                listening.cancel()
                self._running.cancel()
        except BaseException:
            self._running.drop()
            raise

    async def _turn(self, looks: asyncio.TaskGroup, acts: asyncio.TaskGroup) -> bool:
        """A round; a journal that cannot be used now only makes the loop wait."""
        try:
            return await self._round(looks, acts)
        except OnceMore:
            return True
        except Transient as error:
            only_for_now(error)
            self._admission.held_back = False
            return False

    async def _listen(self) -> None:
        while True:
            await self._journal.wait(self._partition, LONGEST_WAIT)
            self._wake.set()

    async def _rest(self) -> None:
        wait = self._limits.next_permit() if self._admission.held_back else LONGEST_WAIT
        if self._admission.acts_wait:
            wait = min(wait, SOON)
        try:
            wait = min(wait, await self._admission.until_due(self.now()))
        except Transient as error:
            only_for_now(error)
        await self._woken(wait)

    async def _woken(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _drain(self, looks: asyncio.TaskGroup, acts: asyncio.TaskGroup) -> None:
        """Let running acts end and write down what they brought; start nothing new.

        Brakes are obeyed meanwhile: what does not upload yet is ended by them.
        """
        time = asyncio.get_running_loop().time
        end = time() + self._options.drain
        self._gathering.draining = True
        while self._running.acting and (left := end - time()) > 0:
            await self._turn(looks, acts)
            await self._woken(min(left, LONGEST_WAIT))
        self._gathering.draining = False
        await self._turn(looks, acts)

    async def _round(self, looks: asyncio.TaskGroup, acts: asyncio.TaskGroup) -> bool:
        """One turn; True when something was done, so that there may be more."""
        self._wake.clear()
        self._admission.time_unsure = self.time.unsure
        gathered = await self._gathering.gather(self._record, self.now())
        # A round of nothing is no step that a death could interrupt.
        crash = self._crash if gathered.anything else never
        crash("loop.after_read")
        self.time.round_begins(gathered.outcomes, gathered.to_the_partition())
        decided = self._clock.monotonic()
        ready: list[Ready] = []
        try:
            draft = await self._advance(gathered, ready)
            crash("loop.after_advance")
            await self._commit(draft)
        except BaseException:
            self._undo(gathered.outcomes, ready)
            raise
        self._gathering.written(gathered)
        self._refunds.settled(gathered.outcomes)
        start = Start(draft, ready, decided)
        self._running.probe(looks, self._admission.probes)
        if self.time.should_ask():
            self._running.ask(looks, self._limits.all_names())
        await self._starter.start(Groups(looks, acts), start, self._record)
        # A page of deadlines at which nothing came of any must not make the loop spin.
        more = self._admission.more_elapsed and bool(draft.states or draft.failures)
        return gathered.news or bool(ready) or more

    async def _advance(self, gathered: Gathered, ready: list[Ready]) -> RoundDraft:
        """Apply it all in memory; what may start after the commit is added to ``ready``."""
        draft = await self._draft(gathered.keys())
        self.time.note(draft, self._metrics, gathered.uncorrected)
        for act in gathered.found:
            draft.apply(act.key, ActFound())
        reading.read(draft, gathered.commands, gathered.letters, self.time.accepts)
        self._refunds.give_back(draft, gathered.outcomes)
        for key, fact in gathered.outcomes:
            draft.apply(key, fact)
        await self._admission.permit(draft, gathered.due, ready)
        record_failures(draft, gathered.letters, self._quarantine)
        self._oversized.shorten(draft)
        return draft

    def _undo(self, outcomes: Sequence[Outcome], ready: Iterable[Ready]) -> None:
        """Nothing became durable: outcomes wait on, permits go back, no act has begun."""
        self._cache.forget()
        self._running.give_back(outcomes)
        self._starter.give_back(ready)
        self._known(self._record)

    def _known(self, record: PartitionRecord) -> None:
        """Set the ceiling to what is durable; what else it counted is dropped."""
        if self._limits.ceiling is not None:
            self._limits.ceiling.committed(record)

    async def _draft(self, keys: Iterable[SubjectKey]) -> RoundDraft:
        loaded, barred = await self._cache.load_readable(list(dict.fromkeys(keys)))
        now, held = self.now(), self._record.brakes
        rules = Rules(
            routes=dict(self._routes()),
            epoch=self._record.epoch,
            boot=self.time.boot_time(self._record.epoch),
            device_deadline=self._options.device_deadline,
            deadlines_held=self.time.in_doubt or brakes.hold_deadlines(held, now),
            time_unsure=self.time.unsure,
            dice=self._dice,
        )
        return RoundDraft(self._record, now, rules, loaded, {**barred, **self._oversized.subjects})

    async def _commit(self, draft: RoundDraft) -> None:
        if not draft.changed(self._record):
            self._known(self._record)
            return
        applied = brakes.tightened(self._record.brakes, draft.record.brakes)
        commit = draft.commit(self._audit_key)
        await self._oversized.commit(self._journal, draft, commit)
        self.time.written()
        self._cache.written(draft.states, draft.gone)
        self._record = commit.record
        self._known(self._record)
        self._crash("loop.after_commit")
        if applied:
            self._running.hold(lambda lane: paused(self._record.brakes, lane.route))
        if self._quarantine:
            for key in draft.states:
                self._quarantine.advanced(key)
        self._publisher.of(draft, commit)
