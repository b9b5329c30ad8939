"""Performing effects: every exception of a plug-in comes back as a fault."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from connector.core.errors import Permanent, Scope, Transient
from connector.core.facts import Acted, Begun, CleanedUp, DeviceLookedUp, HandedOver, Pushed
from connector.core.handover import Changed, HandoverJob, HandoverOutcome, NotSent, PluginReference
from connector.core.model import OpenRequest, RequestState, SetEntry, Slot
from connector.core.ports import Recovery
from connector.core.selection import SelectionRules, SigningPolicy
from connector.core.states import DeviceState, Effect, Running
from connector.worker.effects import UpstreamEffects
from connector.worker.handover_jobs import HandoverJobs
from tests.worker.conftest import ROUTE

KEY = "acme/user/1"


class Raising:
    """A target that raises from every call."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def look_up_device(self, _device: str) -> None:
        raise self.error

    async def look_up(self, *_: object) -> None:
        raise self.error


def effects(
    upstream: Any,
    reported: list[BaseException],
    look_limit: float = 10.0,
    refusal: Callable[[str], Permanent | None] = lambda _: None,
) -> UpstreamEffects:
    """One double is all that there is outside."""
    reference = PluginReference(plugin="x", name="acme", settings={})
    return UpstreamEffects(
        backends={"acme-ca": upstream},
        targets={"acme": upstream},
        routes=lambda: {"corp": ROUTE},
        jobs=HandoverJobs({"ca:acme-ca": reference, "uem:acme": reference}, lambda _: 1.0, refusal),
        hand_over=upstream,
        monotonic=lambda: 100.0,
        look_limit=look_limit,
        unexpected=lambda _, raised: reported.append(raised),
    )


@pytest.mark.parametrize(
    "error",
    [KeyError("x"), Permanent("no code"), Transient("UEM-001", retry_after=float("inf"))],
)
async def test_nonsense_of_a_plug_in_stops_nobody(error: Exception) -> None:
    """An exception that is no fault of ours is one attempt of one subject, and is reported."""
    reported: list[BaseException] = []
    fact = await effects(Raising(error), reported).look(
        Effect.LOOK_UP_DEVICE, DeviceState(key="acme/device/1"), 0
    )
    assert isinstance(fact, DeviceLookedUp)
    assert fact.fault is not None
    assert fact.fault.code == "PLG-001"
    assert reported == [error]


class Endless:
    """A target whose look has no end, although each of its requests may have one."""

    async def look_up_device(self, _device: str) -> None:
        await asyncio.Event().wait()


async def test_a_look_has_a_limit_as_a_whole() -> None:
    """It concerns its subject alone: others of the same upstream may be quick."""
    looking = effects(Endless(), [], look_limit=0.02)
    fact = await looking.look(Effect.LOOK_UP_DEVICE, DeviceState(key="acme/device/1"), 0)
    assert fact.fault is not None
    assert (fact.fault.code, fact.fault.scope) == ("UEM-001", Scope.SUBJECT)


@pytest.mark.parametrize("effect", [Effect.BEGIN, Effect.PUSH, Effect.CLEAN_UP])
async def test_an_act_whose_time_is_over_is_not_begun(effect: Effect) -> None:
    """A service that slept between the commit and the act sends no request any more."""
    reported: list[BaseException] = []
    running = Running(effect=effect, attempt=3, started_at=0, limit=30_000, epoch=1)
    fact = await effects(Raising(KeyError("asked")), reported).act(KEY, running, 99.9)
    assert fact.effect is effect
    assert fact.fault is not None
    assert (fact.fault.code, fact.attempt, reported) == ("HND-006", 3, [])


async def test_what_fails_before_the_hand_over_process_has_sent_nothing() -> None:
    """The copy is as it was; the loop gets that, instead of *unknown*."""
    reported: list[BaseException] = []
    running = Running(
        effect=Effect.HAND_OVER, attempt=3, started_at=0, limit=30_000, epoch=1, route="removed"
    )
    fact = await effects(Raising(KeyError("asked")), reported).act(KEY, running, 130.0)
    assert isinstance(fact, HandedOver)
    assert isinstance(fact.outcome, NotSent)
    assert fact.outcome.fault.code == "USR-007"
    assert (fact.outcome.disclosed, reported) == (0, [])


class Asked:
    """A CA, a UEM, and hand-over processes, that do what they are asked and note it."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    async def begin(self, recovery: Recovery) -> RequestState:
        self.asked.append(recovery)
        return RequestState.GRANTED

    async def clean_up(self, request: str) -> None:
        self.asked.append(request)

    async def push(self, device: str, profile: str) -> None:
        self.asked.append((device, profile))

    async def run(self, job: HandoverJob, _limit: float, _deadline: float) -> HandoverOutcome:
        self.asked.append(job)
        return Changed()


ENTRY = SetEntry(slot=Slot.ENCRYPTION, fingerprint="a" * 64, public_key="b" * 64)
REQUEST = OpenRequest(id="c" * 32, fingerprint=ENTRY.fingerprint, state=RequestState.PENDING)
NEEDS: dict[str, Any] = {
    "route": "corp",
    "person": "user1",
    "reason": "enrolment",
    "digest": "d" * 64,
    "requests": (REQUEST,),
    "entries": (ENTRY,),
    "address": "user1@example.com",
    "rules": SelectionRules(signing=SigningPolicy.NEVER, dropped=frozenset({"e" * 64})),
    "devices": ("acme/device/7",),
    "profiles": {"acme/device/7": "4711"},
}


async def performed(effect: Effect) -> tuple[list[object], Acted]:
    """What is asked for an act, and its fact."""
    upstream, reported = Asked(), list[BaseException]()
    running = Running(effect=effect, attempt=3, started_at=5, limit=30_000, epoch=1, **NEEDS)
    fact = await effects(upstream, reported).act(KEY, running, 130.0)
    assert not reported
    return upstream.asked, fact


async def test_acts_at_the_upstreams_are_done_from_their_record() -> None:
    """No state is looked at: it may have changed since the act was recorded."""
    granted = REQUEST.model_copy(update={"state": RequestState.GRANTED})
    recovery = Recovery(
        id=REQUEST.id, person="user1", fingerprint=ENTRY.fingerprint, reason="enrolment"
    )
    assert await performed(Effect.BEGIN) == ([recovery], Begun(3, (granted,)))
    assert await performed(Effect.CLEAN_UP) == ([REQUEST.id], CleanedUp(3, (REQUEST,)))
    assert await performed(Effect.PUSH) == ([("7", "4711")], Pushed(3, ("acme/device/7",)))


async def test_the_job_of_a_hand_over_is_made_from_its_record() -> None:
    asked, fact = await performed(Effect.HAND_OVER)
    assert fact == HandedOver(3, Changed())
    [job] = asked
    assert isinstance(job, HandoverJob)
    members = {name: getattr(job, name) for name in NEEDS if name in HandoverJob.model_fields}
    assert members == {name: NEEDS[name] for name in members}
    assert members.keys() >= {"person", "requests", "digest", "entries", "address", "rules"}
    assert (job.attempt, job.holder, job.now, job.limit) == (3, "1", 5, 30.0)


@pytest.mark.parametrize("upstream", ["ca:acme-ca", "uem:acme"])
async def test_no_hand_over_begins_with_files_that_were_refused(upstream: str) -> None:
    """Its process would read them, while all looks go on with what was there before."""
    around, reported = Asked(), list[BaseException]()
    wrong = {upstream: Permanent("CRT-001", "reading the client certificate")}
    acting = effects(around, reported, refusal=wrong.get)
    running = Running(
        effect=Effect.HAND_OVER, attempt=3, started_at=5, limit=30_000, epoch=1, **NEEDS
    )
    fact = await acting.act(KEY, running, 130.0)
    assert isinstance(fact, HandedOver)
    assert isinstance(fact.outcome, NotSent)
    fault = fact.outcome.fault
    assert (fault.code, fault.scope, fault.upstream) == ("CRT-001", Scope.UPSTREAM, upstream)
    assert fault.detail == "reading the client certificate"
    assert (around.asked, reported) == ([], [])
