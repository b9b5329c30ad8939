"""The worker without a journal: events, looks and acts against the small picture, one at a time.

Time passes by orders of a test, and by a moment for each effect. Each change of a state is held
against what must be true of every change.
"""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from connector.core.audit import AuditEntry
from connector.core.boot_time import BootTime
from connector.core.events import Event, EventBody
from connector.core.facts import (
    LOOKED,
    Acted,
    ActFound,
    Elapsed,
    Fact,
    HandedOver,
    Looked,
    Permitted,
    failed,
)
from connector.core.handover import Changed, Unknown
from connector.core.machines import advance, fresh
from connector.core.model import (
    DAY,
    SECOND,
    Millis,
    SubjectKey,
    parse_subject,
)
from connector.core.policy import RoutePolicy, Rules
from connector.core.selection import Selection
from connector.core.states import (
    ACTS,
    Brakes,
    Effect,
    HolderState,
    Running,
    State,
    Want,
)
from connector.core.step import Moment
from connector.worker import brakes
from connector.worker.upstream_limits import parse_lane, paused
from tests.core.hand_over_outcomes import (
    APPLIED,
    current_of,
    expected,
    fetch_and_upload,
    outcome_of,
    perform,
)
from tests.core.looks import look
from tests.core.names import DOWN, ROUTE
from tests.core.promises import hold_promises
from tests.core.upstreams import Ca, Uem

HORIZON = 60 * DAY
"""Longer than every deadline, shorter than what has ended is kept."""
BLINK: Millis = 20
BUSIEST = 150
"""More steps than this of one subject within a minute are a hot loop."""

AT_CA = {Effect.LIST, Effect.BEGIN, Effect.LOOK_REQUESTS, Effect.CLEAN_UP, Effect.HAND_OVER}


@dataclass
class PureLoop:
    """States of all subjects, and the loop that a worker would turn for them.

    ``behind``: by how much the time that has passed is behind journal time.
    """

    uem: Uem = field(default_factory=Uem)
    ca: Ca = field(default_factory=Ca)
    now: Millis = Uem.now
    skew: Millis = 0
    epoch: int = 1
    behind: Millis = 0
    routes: dict[str, RoutePolicy] = field(default_factory=lambda: {"corp": ROUTE})
    held: Brakes = field(default_factory=Brakes)
    down: set[str] = field(default_factory=set)
    fates: deque[str] = field(default_factory=deque)
    states: dict[SubjectKey, State] = field(default_factory=dict)
    queue: deque[Event] = field(default_factory=deque)
    seen: set[str] = field(default_factory=set)
    late_uploads: list[tuple[Millis, str, str, str]] = field(default_factory=list)
    may_upload_until: dict[SubjectKey, Millis] = field(default_factory=dict)
    finished: list[tuple[SubjectKey, Acted]] = field(default_factory=list)
    steps: Counter[tuple[SubjectKey, Millis]] = field(default_factory=Counter)
    contents: dict[str, frozenset[str]] = field(default_factory=dict)
    audited: list[AuditEntry] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    sent: int = 0
    commits: int = 0

    def rules(self) -> Rules:
        return Rules(
            routes=dict(self.routes),
            epoch=self.epoch,
            boot=BootTime(f"boot {self.epoch}", self.now - self.behind),
            device_retry=ROUTE.retry,
            device_deadline=3 * DAY,
            deadlines_held=brakes.hold_deadlines(self.held, self.now),
            dice=lambda: 0.5,
        )

    def send(
        self,
        subject: SubjectKey,
        body: EventBody,
        event_id: str | None = None,
        *,
        occurred_at: Millis | None = None,
    ) -> Event:
        """Append an event to the journal, which knows every id once only."""
        self.sent += 1
        event = Event(
            id=event_id or f"sent-{self.sent}",
            tenant=parse_subject(subject).tenant,
            subject=subject,
            source="workspace-one",
            occurred_at=self.now if occurred_at is None else occurred_at,
            received_at=self.now,
            body=body,
        )
        self.append(event)
        return event

    def append(self, event: Event) -> None:
        if event.id not in self.seen:
            self.seen.add(event.id)
            self.queue.append(event)

    def apply(self, key: SubjectKey, fact: Fact) -> State:
        """Advance one subject; its version goes up when it changed."""
        before = self.states.get(key) or fresh(key, self.commits)
        step = advance(before, fact, self.now, self.rules())
        self.audited += step.audit
        self.moments += step.moments
        for event in step.events:
            self.append(event)
        self.commits += step.gone or step.state is not before
        if step.gone:
            self.states.pop(key, None)
            return fresh(key)
        if step.state is before:
            return before
        after: State = step.state.model_copy(update={"version": before.version + 1})
        self.steps[key, self.now // (60 * SECOND)] += 1
        assert self.steps[key, self.now // (60 * SECOND)] < BUSIEST, f"hot loop: {after.wants}"
        hold_promises(before, after, fact, self)
        self.states[key] = after
        return after

    def pass_time(self, milliseconds: Millis) -> None:
        """Both clocks go on; what an act still had under way reaches the UEM by its limit."""
        until = self.now + milliseconds
        for late in sorted(self.late_uploads):
            if late[0] <= until:
                self.late_uploads.remove(late)
                self._set_time(late[0])
                self.uem.upload(late[1], late[2], late[3], self.now)
        self._set_time(until)
        self.uem.deliver()

    def _set_time(self, now: Millis) -> None:
        self.now = max(now, self.now)
        self.uem.set_clock(self.now + self.skew)

    def step(self) -> bool:
        """One event, or one effect that is due; False when there is neither."""
        self.pass_time(BLINK)
        if self.queue:
            event = self.queue.popleft()
            self.apply(event.subject, event)
            return True
        due = [(want.due, key, want) for key, want in self.wanted() if want.due <= self.now]
        if not due:
            return False
        _, key, want = min(due, key=lambda one: (one[0], one[1], one[2].lane))
        self._do(key, want)
        return True

    def wanted(self) -> list[tuple[SubjectKey, Want]]:
        """What may start, now or later: no act while the brake is on."""
        return [
            (key, want)
            for key, state in self.states.items()
            for want in state.wants
            if want.effect not in ACTS or not paused(self.held, parse_lane(want.lane).route)
        ]

    def _do(self, key: SubjectKey, want: Want) -> None:
        lane = parse_lane(want.lane)
        if want.effect is Effect.WAIT or (lane.route and lane.route not in self.routes):
            self.apply(key, Elapsed())
        elif want.effect not in ACTS:
            self.apply(key, self.look(key, want.effect))
        else:
            after = self.apply(key, Permitted(want.effect))
            if isinstance(after, HolderState) and after.running is not None:
                self.act(after, after.running)

    def look(self, key: SubjectKey, effect: Effect) -> Looked[Any]:
        """Look at what is true at this moment."""
        state = self.states[key]
        upstream = "ca" if effect in AT_CA else "uem"
        if upstream in self.down:
            return LOOKED[effect](state.version, DOWN[upstream])
        return look(self.uem, self.ca, state, effect)

    def act(self, state: HolderState, running: Running) -> None:
        """Do what a state has written down as begun."""
        upstreams = {"ca"} if running.effect in AT_CA else {"uem"}
        if running.effect is Effect.HAND_OVER:
            upstreams = {"ca", "uem"}
            assert self.may_upload_until.get(state.key, 0) <= self.now, "two uploads at once"
        broken = upstreams & self.down
        if broken:
            self.answer(state.key, failed(running.effect, running.attempt, DOWN[min(broken)]))
        elif running.effect is Effect.HAND_OVER:
            self._hand_over(state, running, self.fates.popleft() if self.fates else "accepted")
        elif self.fates and self.fates[0] == "crash":
            self.fates.popleft()
            perform(self.uem, self.ca, running)
            self.restart()
        else:
            self.answer(state.key, perform(self.uem, self.ca, running))

    def answer(self, key: SubjectKey, fact: Acted) -> None:
        """The outcome of an act comes back."""
        if isinstance(fact, HandedOver) and not isinstance(fact.outcome, Unknown):
            self.may_upload_until.pop(key, None)
        self.finished.append((key, fact))
        self.apply(key, fact)

    def expected(self, state: HolderState) -> Selection | None:
        """The set that the CA's list makes for a holder at this moment, if it makes one."""
        return expected(self.uem, self.ca, state, self.now)

    def _hand_over(self, state: HolderState, running: Running, fate: str) -> None:
        """What becomes of a hand-over: ``fate`` says what goes wrong, and where."""
        self.may_upload_until[state.key] = self.now + running.limit
        user, digest = parse_subject(state.key).id, running.digest or ""
        entries = state.delivery.entries if state.delivery else ()
        self.contents[digest] = frozenset(entry.fingerprint for entry in entries)
        listed = self.expected(state)
        if listed is None or listed.digest != digest:
            self.answer(state.key, HandedOver(running.attempt, Changed()))
            return
        if fate in {"late", "crash_late"}:
            until = self.may_upload_until[state.key]
            self.late_uploads.append((until, user, digest, current_of(state)))
        if fate in APPLIED:
            fetch_and_upload(self.uem, self.ca, state, running, self.now)
        outcome = outcome_of(fate, digest, self.uem.now)
        if outcome is not None:
            self.answer(state.key, HandedOver(running.attempt, outcome))
        if fate.startswith("crash"):
            self.restart()

    def restart(self) -> None:
        """The process was killed: a new owner finds what was left open."""
        self.epoch += 1
        for key, state in list(self.states.items()):
            if isinstance(state, HolderState) and state.running is not None:
                self.apply(key, ActFound())

    def run_out(self, most: int = 6000, horizon: Millis = HORIZON) -> None:
        """Until nothing is wanted any more but to be forgotten: else a state is a dead end.

        ``horizon``: what waits longer than this is not waited for.
        """
        for _ in range(most):
            if self.step():
                continue
            waits = [want.due for _, want in self.wanted() if want.due <= self.now + horizon]
            if not waits and not self.queue:
                return
            self.pass_time(max(min(waits) - self.now, 0))
        wants = {key: state.wants for key, state in self.states.items() if state.wants}
        raise AssertionError(f"still waiting after {most} steps: {wants}")
