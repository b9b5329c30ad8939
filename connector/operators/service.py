"""The operators' service on a journal: query states, store commands, check the audit log."""

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from connector.core.conditions import Condition, worst_first
from connector.core.errors import Rejected
from connector.core.events import PlanRequested
from connector.core.feed import FeedPosition
from connector.core.holder.operator_commands import discloses
from connector.core.journal import DeadLetterFilter, Journal, PartitionRecord, StatusFilter
from connector.core.policy import RoutePolicy
from connector.core.ports import Clock
from connector.core.secret import Credential
from connector.core.states import HolderState, StandingPause, standing
from connector.operators.acts import (
    Stamp,
    concerning,
    events_for,
    holder_bodies,
    last_events,
    partition_events,
)
from connector.operators.audit_log import AuditLog
from connector.operators.conditions import of_held_up, of_letters
from connector.operators.dead_letters import DeadLetters
from connector.operators.handlers import Caller, Handlers
from connector.operators.known import check_names
from connector.operators.lookup import Lookup
from connector.operators.planner import Planner
from connector.operators.retries import retry_many
from connector.operators.stuck import stuck
from connector.operators.support import support
from connector.operators.verbs.acts import (
    ACCEPT_CLOCK,
    CANCEL,
    CONFIRM_IDENTITY,
    DELIVER,
    FORGET_IDENTITY,
    NOT_APPLIED,
    PAUSE,
    RESUME,
    RETRY,
    RETRY_MANY,
    AcceptClock,
    ActEvents,
    HolderAct,
    NotApplied,
    Pause,
    Receipt,
    Resume,
    RetryMany,
    RetryOne,
)
from connector.operators.verbs.audit import AUDIT, CUT, VERIFY, CutTrail
from connector.operators.verbs.dead_letters import (
    DROP,
    LETTER,
    LETTERS,
    REPLAY,
    LetterDetail,
    LetterPage,
    LetterQuery,
    LetterReceipt,
    PlaceQuery,
    SettleLetters,
)
from connector.operators.verbs.plan import PLAN, PlanQuery, PlanReport
from connector.operators.verbs.status import (
    OVERVIEW,
    SUBJECT,
    SUBJECTS,
    VERSION,
    CredentialView,
    FeedView,
    Overview,
    PartitionView,
    PhaseCount,
    SubjectDetail,
    SubjectPage,
    SubjectQuery,
    UpstreamView,
    VersionView,
)
from connector.operators.verbs.support import SUPPORT, ProcessView
from connector.operators.verbs.verb import Nothing
from connector.operators.views import devices, matrix, summary

SEEN = DeadLetterFilter(limit=1000)
"""How many dead letters are counted at a glance."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the operators' service needs besides journal and planner.

    ``unique`` makes a unique id, ``routes`` and ``upstreams`` return the present state,
    ``audit_key`` is the key of the chain's MAC, ``version`` that of the program. ``verified`` is
    called with the result of a check of the audit log. ``conditions`` are those that
    the process reports; what the journal shows is added here. ``old_audit_keys`` are those that the
    chain was made with before. ``feeds`` returns how pulling goes, given the positions,
    ``process`` the metrics and last log lines.
    """

    clock: Clock
    unique: Callable[[], str]
    audit_key: Credential
    routes: Callable[[], Mapping[str, RoutePolicy]]
    upstreams: Callable[[], Sequence[UpstreamView]]
    version: str
    verified: Callable[[bool], None]
    conditions: Callable[[], Sequence[Condition]] = tuple
    credentials: Callable[[], Sequence[CredentialView]] = tuple
    old_audit_keys: Sequence[Credential] = ()
    feeds: Callable[[Mapping[str, FeedPosition]], Sequence[FeedView]] = lambda _pulled: ()
    process: Callable[[], ProcessView] = ProcessView


class OperatorService:
    """Answers operators from a journal.

    Raises everywhere: ``Rejected`` ``DLV-007`` for a subject that is not known, ``EVT-007`` for a
    question that cannot be answered as it is; ``Transient`` ``JRN-001`` when the journal cannot be
    written.
    """

    def __init__(self, journal: Journal, planner: Planner, around: Surroundings) -> None:
        self._journal = journal
        self._planner = planner
        self._around = around
        self._lookup = Lookup(journal, planner, around.routes)
        self._letters = DeadLetters(journal)
        keys = (around.audit_key, *around.old_audit_keys)
        self._log = AuditLog(journal, keys, around.verified)

    def handlers(self) -> Handlers:
        """What answers each verb."""
        made = Handlers()
        made.ask(OVERVIEW, lambda _: self.overview())
        made.ask(SUPPORT, lambda _: support(self.overview, self._around.process))
        made.ask(SUBJECTS, self.subjects)
        made.ask(SUBJECT, self.subject)
        made.ask(VERSION, self._version)
        made.act(DELIVER, self.act_on_holder)
        made.act(RETRY, self.act_on_holder)
        made.act(CANCEL, self.act_on_holder)
        made.act(CONFIRM_IDENTITY, self.act_on_holder)
        made.act(FORGET_IDENTITY, self.act_on_holder)
        made.act(RETRY_MANY, self.retry_many)
        made.act(PAUSE, self._act_on_all)
        made.act(RESUME, self._act_on_all)
        made.act(ACCEPT_CLOCK, self._act_on_all)
        made.ask(NOT_APPLIED, self._not_applied)
        made.act(PLAN, self.plan)
        made.stream(AUDIT, self._log.export)
        made.ask(VERIFY, self._log.verify)
        made.act(CUT, self._cut)
        made.ask(LETTERS, self._page)
        made.ask(LETTER, self._letter)
        made.act(REPLAY, self._settle)
        made.act(DROP, self._settle)
        return made

    async def overview(self) -> Overview:
        """The service at a glance."""
        counts = await self._journal.counts()
        records = await self._journal.records()
        letters = await self._journal.dead_letters(SEEN)
        return Overview(
            now=self._around.clock.now(),
            pauses=standing(record.brakes for record in records),
            conditions=worst_first(
                [*self._around.conditions(), *of_letters(letters), *of_held_up(records)]
            ),
            version=self._around.version,
            counts=tuple(
                PhaseCount(kind=kind, route=route, phase=phase, count=count)
                for (kind, route, phase), count in sorted(counts.items())
            ),
            partitions=tuple(map(_partition, records)),
            upstreams=tuple(self._around.upstreams()),
            dead_letters=len(letters),
            needs_person=await stuck(self._journal),
            credentials=tuple(self._around.credentials()),
            feeds=tuple(self._around.feeds(records[0].pulled)),
        )

    async def subjects(self, query: StatusFilter) -> SubjectPage:
        """A page of subjects."""
        states = await self._journal.status(query)
        if not states and not query.after:
            check_names(query, self._around.routes())
        more = len(states) == query.limit
        pauses = await self._pauses()
        return SubjectPage(
            items=tuple(summary(state, pauses) for state in states),
            after=states[-1].key if more else None,
            now=self._around.clock.now(),
            pauses=pauses,
        )

    async def subject(self, query: SubjectQuery) -> SubjectDetail:
        """One subject; if only the UEM knows it, the error says so."""
        state = await self._lookup.known(query.kind, query.name)
        pauses = await self._pauses()
        return SubjectDetail(
            summary=summary(state, pauses),
            state=state,
            devices=devices(state) if isinstance(state, HolderState) else (),
            generations=matrix(state) if isinstance(state, HolderState) else (),
            now=self._around.clock.now(),
            pauses=pauses,
        )

    async def act_on_holder(self, act: HolderAct, caller: Caller) -> Receipt:
        """Make an act on one holder durable; it is applied in the order of the journal.

        Raises:
            Rejected: ``DLV-006`` when it does not fit the holder's state.
        """
        stamp = self._stamp(caller)
        state = await self._lookup.holder(act.holder)
        events = events_for(stamp, state.key, holder_bodies(act, state, stamp.operator.by))
        await self._journal.append(events)
        again = isinstance(act, RetryOne) and discloses(state, stamp.now)
        return Receipt(
            act=act.act,
            subjects=(state.key,),
            events=last_events(events),
            discloses=(state.key,) if again else (),
            pauses=await self._pauses(),
        )

    async def retry_many(self, act: RetryMany, caller: Caller) -> Receipt:
        """Make a retry of many holders durable."""
        stamp = self._stamp(caller)
        receipt = await retry_many(self._journal, act, stamp, self._around.routes())
        return receipt.model_copy(update={"pauses": await self._pauses()})

    async def plan(self, query: PlanQuery, caller: Caller) -> PlanReport:
        """What a delivery would do now; the request is recorded before anything is looked up."""
        state = await self._lookup.holder(query.holder)
        body = PlanRequested(by=caller.operator.by)
        await self._journal.append(events_for(self._stamp(caller), state.key, [body]))
        return await self._planner.plan(state)

    async def _act_on_all(self, act: Pause | Resume | AcceptClock, caller: Caller) -> Receipt:
        if isinstance(act, Pause) and act.route and act.route not in self._around.routes():
            raise Rejected("EVT-007", "no such route is configured")
        pauses = await self._pauses()
        events = partition_events(self._stamp(caller), act, self._journal.partitions)
        await self._journal.append(events)
        subjects = tuple(event.subject for event in events)
        # That a pause has been applied is seen in the brakes; nothing shows it of the clock.
        named = last_events(events) if isinstance(act, AcceptClock) else {}
        stand = concerning(act, pauses)
        return Receipt(act=act.act, subjects=subjects, events=named, pauses=stand)

    async def _not_applied(self, asked: ActEvents) -> NotApplied:
        events = asked.events.items()
        waiting = [key for key, name in events if not await self._journal.consumed(key, name)]
        return NotApplied(subjects=tuple(waiting))

    async def _cut(self, act: CutTrail, caller: Caller) -> Receipt:
        return await self._log.cut(act, self._stamp(caller))

    async def _page(self, query: LetterQuery) -> LetterPage:
        return await self._letters.listing(query, self._around.clock.now())

    async def _letter(self, query: PlaceQuery) -> LetterDetail:
        return await self._letters.detail(query.place, self._around.clock.now())

    async def _settle(self, act: SettleLetters, caller: Caller) -> LetterReceipt:
        return await self._letters.settle(act, self._stamp(caller))

    async def _version(self, _: Nothing) -> VersionView:
        return VersionView(version=self._around.version, python=platform.python_version())

    async def _pauses(self) -> tuple[StandingPause, ...]:
        return standing(record.brakes for record in await self._journal.records())

    def _stamp(self, caller: Caller) -> Stamp:
        operator, key = caller
        unique = f"{operator.uid}:{key}" if key else self._around.unique()
        return Stamp(unique, self._around.clock.now(), operator)


def _partition(record: PartitionRecord) -> PartitionView:
    return PartitionView(
        partition=record.partition,
        epoch=record.epoch,
        commits=record.commits,
        audit_count=record.audit_count,
        audit_head=record.audit_head,
        audit_cut=record.audit_cut,
        brakes=record.brakes,
    )
