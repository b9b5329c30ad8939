"""The operators' service on a journal: query states, store commands, check the audit log."""

import platform
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

from connector.core.audit import AuditRecord
from connector.core.conditions import Condition, worst_first
from connector.core.errors import Rejected
from connector.core.events import PlanRequested
from connector.core.holder.operator_commands import discloses
from connector.core.journal import DeadLetterFilter, Journal, PartitionRecord, StatusFilter
from connector.core.policy import RoutePolicy
from connector.core.ports import Clock
from connector.core.secret import Credential
from connector.core.states import HolderState, StandingPause, standing
from connector.operators.acts import (
    Stamp,
    events_for,
    holder_bodies,
    last_events,
    partition_events,
)
from connector.operators.applying import ActEvents, NotApplied, not_applied
from connector.operators.audit_records import AuditReport, CutTrail, Published
from connector.operators.auditing import check_journal, trail_of
from connector.operators.conditions import of_letters
from connector.operators.cutting import cut
from connector.operators.dead_letters import DeadLetters
from connector.operators.elsewhere import look_for, not_known, the_only, users_at_the_uem
from connector.operators.known import check_names
from connector.operators.letter_records import (
    LetterDetail,
    LetterPage,
    LetterQuery,
    LetterReceipt,
    PlaceName,
    SettleLetters,
)
from connector.operators.plan_records import PlanReport
from connector.operators.planner import Planner
from connector.operators.records import (
    AcceptClock,
    Act,
    CredentialView,
    HolderAct,
    Kind,
    Operator,
    Overview,
    PartitionView,
    Pause,
    PhaseCount,
    Receipt,
    Resume,
    RetryMany,
    RetryOne,
    SubjectDetail,
    SubjectPage,
    UpstreamView,
    VersionView,
)
from connector.operators.retries import retry_many
from connector.operators.search import find
from connector.operators.stuck import stuck
from connector.operators.views import State, devices, matrix, summary

SEEN = DeadLetterFilter(limit=1000)
"""How many dead letters are counted at a glance."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the operators' service needs besides journal and planner.

    ``unique`` makes a unique id, ``routes`` and ``upstreams`` return the present state,
    ``audit_key`` is the key of the chain's MAC, ``version`` that of the program. ``verified`` is
    called with the result of a check of the audit log. ``conditions`` are those that
    the process reports; what the journal shows is added here. ``old_audit_keys`` are those that the
    chain was made with before.
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


class OperatorService:
    """:class:`connector.operators.port.AdminService` on a journal."""

    def __init__(self, journal: Journal, planner: Planner, around: Surroundings) -> None:
        self._journal = journal
        self._planner = planner
        self._around = around
        self._letters = DeadLetters(journal)

    async def overview(self) -> Overview:
        """The service at a glance."""
        counts = await self._journal.counts()
        records = await self._journal.records()
        letters = await self._journal.dead_letters(SEEN)
        return Overview(
            now=self._around.clock.now(),
            pauses=standing(record.brakes for record in records),
            conditions=worst_first([*self._around.conditions(), *of_letters(letters)]),
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
        )

    async def listing(self, query: StatusFilter) -> SubjectPage:
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

    async def detail(self, kind: Kind, wanted: str) -> SubjectDetail:
        """One subject; if only the UEM knows it, the error says so."""
        state = await self._known(kind, wanted)
        pauses = await self._pauses()
        return SubjectDetail(
            summary=summary(state, pauses),
            state=state,
            devices=devices(state) if isinstance(state, HolderState) else (),
            generations=matrix(state) if isinstance(state, HolderState) else (),
            now=self._around.clock.now(),
            pauses=pauses,
        )

    async def act(self, act: Act, operator: Operator, key: str = "") -> Receipt:
        """Make an act durable."""
        stamp = self._stamp(operator, key)
        match act:
            case Pause() | Resume() | AcceptClock():
                return await self._to_all(act, stamp)
            case RetryMany():
                receipt = await retry_many(self._journal, act, stamp, self._around.routes())
            case _:
                receipt = await self._holder_act(act, stamp)
        return receipt.model_copy(update={"pauses": await self._pauses()})

    async def not_applied(self, asked: ActEvents) -> NotApplied:
        """Which commands are still waiting in the journal."""
        return await not_applied(self._journal, asked)

    async def _pauses(self) -> tuple[StandingPause, ...]:
        return standing(record.brakes for record in await self._journal.records())

    async def plan(self, wanted: str, operator: Operator) -> PlanReport:
        """What a delivery would do now; the request is recorded before anything is looked up."""
        state = await self._holder(wanted)
        stamp = self._stamp(operator)
        body = PlanRequested(by=operator.by)
        await self._journal.append(events_for(stamp, state.key, [body]))
        return await self._planner.plan(state)

    def audit(self, partition: int | None, after: int) -> AsyncIterator[AuditRecord]:
        """The audit log, without what was cut."""
        return trail_of(self._journal, partition, after)

    async def verify(self, published: Sequence[Published]) -> AuditReport:
        """Check the audit log."""
        around = self._around
        chains = await check_journal(
            self._journal, around.audit_key, published, around.old_audit_keys
        )
        report = AuditReport(chains=tuple(chains))
        self._around.verified(report.whole)
        return report

    async def cut(self, act: CutTrail, operator: Operator, key: str = "") -> Receipt:
        """Truncate the beginning of the audit log."""
        keys = (self._around.audit_key, *self._around.old_audit_keys)
        return await cut(self._journal, keys, act, self._stamp(operator, key))

    async def letters(self, query: LetterQuery) -> LetterPage:
        """A page of dead letters."""
        return await self._letters.listing(query, self._around.clock.now())

    async def letter(self, place: PlaceName) -> LetterDetail:
        """One dead letter."""
        return await self._letters.detail(place, self._around.clock.now())

    async def settle(self, act: SettleLetters, operator: Operator, key: str = "") -> LetterReceipt:
        """Re-queue or drop dead letters."""
        return await self._letters.settle(act, self._stamp(operator, key))

    def version(self) -> VersionView:
        """The version of the service."""
        return VersionView(version=self._around.version, python=platform.python_version())

    def _stamp(self, operator: Operator, key: str = "") -> Stamp:
        unique = f"{operator.uid}:{key}" if key else self._around.unique()
        return Stamp(unique, self._around.clock.now(), operator)

    async def _find(self, kind: Kind, wanted: str) -> State:
        routes = self._around.routes().values()
        tenants = {route.ca if kind == "person" else route.uem for route in routes}
        return await find(self._journal, kind, wanted, sorted(tenants))

    async def _known(self, kind: Kind, wanted: str) -> State:
        """A subject in the journal; a holder also by names that only the UEM knows."""
        try:
            return await self._find(kind, wanted)
        except Rejected as unknown:
            if unknown.code != "DLV-007":
                raise
        seen = await look_for(self._planner, kind, wanted)
        known = await self._journal.load(seen.users) if kind == "holder" else {}
        if len(seen.users) != 1 or not known:
            raise not_known(kind, wanted, seen)
        return known[seen.users[0]]

    async def _holder(self, wanted: str) -> HolderState:
        """A known holder; or one whose notification was lost, if the UEM knows the user.

        Raises:
            Rejected: ``DLV-007`` when neither journal nor UEM knows one, ``EVT-007`` for several.
            ConnectorError: what the UEM raised.
        """
        try:
            found = await self._find("holder", wanted)
        except Rejected as unknown:
            if unknown.code != "DLV-007":
                raise
            users = await users_at_the_uem(self._planner, "holder", wanted)
            key = the_only(users, wanted)
            found = (await self._journal.load([key])).get(key, HolderState(key=key))
        if not isinstance(found, HolderState):
            raise Rejected("DLV-007", "the key names no holder")
        return found

    async def _holder_act(self, act: HolderAct, stamp: Stamp) -> Receipt:
        state = await self._holder(act.holder)
        bodies = holder_bodies(act, state, stamp.operator.by)
        events = events_for(stamp, state.key, bodies)
        await self._journal.append(events)
        again = isinstance(act, RetryOne) and discloses(state, stamp.now)
        return Receipt(
            act=act.act,
            subjects=(state.key,),
            events=last_events(events),
            discloses=(state.key,) if again else (),
        )

    async def _to_all(self, act: Pause | Resume | AcceptClock, stamp: Stamp) -> Receipt:
        if isinstance(act, Pause) and act.route and act.route not in self._around.routes():
            raise Rejected("EVT-007", "no such route is configured")
        events = partition_events(stamp, act, self._journal.partitions)
        await self._journal.append(events)
        return Receipt(act=act.act, subjects=tuple(event.subject for event in events))


def _partition(record: PartitionRecord) -> PartitionView:
    return PartitionView(
        partition=record.partition,
        epoch=record.epoch,
        commits=record.commits,
        audit_count=record.audit_count,
        audit_head=record.audit_head,
        brakes=record.brakes,
    )
