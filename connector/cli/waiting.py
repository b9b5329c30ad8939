"""``--wait`` of acts: until the owners have applied them, or until what they lead to has ended."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from enum import StrEnum
from itertools import islice
from typing import Annotated, NamedTuple, TypeVar

import typer
from pydantic import Field

from connector.cli.exits import Exit
from connector.cli.options import Call
from connector.core.model import SubjectKey
from connector.core.states import Brakes, HolderState, Phase
from connector.core.states.delivery import ENDED
from connector.operators.client import AdminClient
from connector.operators.verbs.acts import (
    AT_ONCE,
    NOT_APPLIED,
    Act,
    ActEvents,
    Pause,
    Receipt,
    Resume,
)
from connector.operators.verbs.status import OVERVIEW, SUBJECT, SubjectQuery
from connector.operators.verbs.verb import Nothing

T = TypeVar("T")

PAUSE = 0.25
"""Seconds between two looks."""
DELIVERED = frozenset({Phase.AWAITING_PURGE, Phase.COMPLETED})
BAD_ENDS = ENDED - DELIVERED


class Until(StrEnum):
    """What can be waited for."""

    APPLIED = "applied"
    INSTALLED = "installed"
    ENDED = "ended"


WaitOption = Annotated[
    bool, typer.Option("--wait", help="Wait until the act is applied; exit code 9 if it is not.")
]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", min=0, help="Maximum number of seconds to wait.")
]
UntilOption = Annotated[
    Until | None,
    typer.Option(
        "--until",
        help="Wait until the devices have installed the set (installed), or until the delivery has"
        " ended and the copy is gone (ended). Exit code 8 if it fails.",
    ),
]
TIMEOUT = 60.0
NOT_YET = "not applied yet"
DISCLOSES = "new hand-over, keys leave escrow again"


WAITING = (OVERVIEW, NOT_APPLIED, SUBJECT)
"""What a command asks that waits for its act."""


class Wish(NamedTuple):
    """What to wait for, and for how many seconds at most."""

    until: Until
    timeout: float


class Wait(NamedTuple):
    """The options of an act that can be waited for."""

    wait: WaitOption = False
    timeout: TimeoutOption = TIMEOUT

    @property
    def wish(self) -> Wish | None:
        """What they ask for; None for nothing."""
        return Wish(Until.APPLIED, self.timeout) if self.wait else None


class WaitUntil(NamedTuple):
    """The options of an act that leads to a delivery."""

    wait: WaitOption = False
    until: UntilOption = None
    timeout: TimeoutOption = TIMEOUT

    @property
    def wish(self) -> Wish | None:
        """What they ask for; None for nothing."""
        asked = self.wait or self.until is not None
        return Wish(self.until or Until.APPLIED, self.timeout) if asked else None


class Outcome(Receipt):
    """A receipt, and what became of the act: who still waits, and how each delivery stands."""

    waiting: tuple[SubjectKey, ...] = ()
    phases: dict[SubjectKey, Phase] = Field(default_factory=dict)

    @property
    def exit(self) -> Exit:
        """How the command ends."""
        if BAD_ENDS & set(self.phases.values()):
            return Exit.PROBLEMS
        return Exit.NOT_YET if self.waiting else Exit.OK


def became(receipt: Receipt, subject: SubjectKey) -> str:
    """What became of an act for one subject, in a word or two."""
    if not isinstance(receipt, Outcome):
        return f"accepted: {DISCLOSES}" if subject in receipt.discloses else "accepted"
    if phase := receipt.phases.get(subject):
        return phase
    return NOT_YET if subject in receipt.waiting else "applied"


def still_waiting(
    call: Call, timeout: float, look: Callable[[AdminClient], Awaitable[tuple[T, ...]]]
) -> tuple[T, ...]:
    """Look again and again until nothing waits any more, or the time is over; what waits then."""
    end = time.monotonic() + timeout
    while (waiting := call.talk(look)) and time.monotonic() < end:
        call.world.wait(PAUSE)
    return waiting


def wait_for(call: Call, act: Act, receipt: Receipt, wanted: Wish) -> Outcome:
    """What has become of an act when nothing waits any more, or the time is over."""
    outcome = Outcome.model_validate(receipt.model_dump() | {"waiting": receipt.subjects})

    async def looking(client: AdminClient) -> tuple[SubjectKey, ...]:
        nonlocal outcome
        outcome = await _looked(client, act, outcome, wanted.until)
        return outcome.waiting

    still_waiting(call, wanted.timeout, looking)
    return outcome


async def _looked(client: AdminClient, act: Act, outcome: Outcome, until: Until) -> Outcome:
    if isinstance(act, Pause | Resume):
        held = [one.brakes for one in (await client.ask(OVERVIEW, Nothing())).partitions]
        return outcome.model_copy(update={"waiting": _brakes_waiting(act, outcome, held)})
    events = {key: outcome.events[key] for key in outcome.waiting if key in outcome.events}
    waiting = await not_applied(client, events)
    phases = dict(outcome.phases)
    for holder in outcome.waiting if until is not Until.APPLIED else ():
        if holder in waiting:
            continue
        phase = await _phase(client, holder)
        if phase is not None:
            phases[holder] = phase
        if phase not in (ENDED if until is Until.ENDED else ENDED | DELIVERED):
            waiting.add(holder)
    left = tuple(holder for holder in outcome.waiting if holder in waiting)
    return outcome.model_copy(update={"waiting": left, "phases": phases})


def _brakes_waiting(
    act: Pause | Resume, outcome: Outcome, held: Iterable[Brakes]
) -> tuple[SubjectKey, ...]:
    applied = [_applied(act, brakes) for brakes in held]
    keys = zip(outcome.subjects, applied, strict=True)
    return tuple(key for key, done in keys if not done)


def _applied(act: Pause | Resume, brakes: Brakes) -> bool:
    return brakes.has(act.route) == isinstance(act, Pause)


async def not_applied(client: AdminClient, events: Mapping[SubjectKey, str]) -> set[SubjectKey]:
    """The subjects, of those with an event, whose event has not been applied yet."""
    found: set[SubjectKey] = set()
    left = iter(events.items())
    while part := dict(islice(left, AT_ONCE)):
        found |= set((await client.ask(NOT_APPLIED, ActEvents(events=part))).subjects)
    return found


async def _phase(client: AdminClient, holder: SubjectKey) -> Phase | None:
    query = SubjectQuery(kind="holder", name=holder)
    state = (await client.ask(SUBJECT, query)).state
    delivery = state.delivery if isinstance(state, HolderState) else None
    return None if delivery is None else delivery.phase
