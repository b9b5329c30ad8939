"""Performing effects: whatever a plug-in raises comes back as a fault."""

import asyncio
from typing import Any

import pytest

from connector.core.errors import Permanent, Scope, Transient
from connector.core.facts import Acted, Looked
from connector.core.handover import NotSent
from connector.core.states import DeviceState, Effect, HolderState, Running
from connector.worker.effects import UpstreamEffects


class Raising:
    """A target that raises whatever it is asked."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def look_up_device(self, _device: str) -> None:
        raise self.error

    async def look_up(self, *_: object) -> None:
        raise self.error


def effects(
    target: Any, reported: list[BaseException], look_limit: float = 10.0
) -> UpstreamEffects:
    nothing: Any = None
    return UpstreamEffects(
        backends={},
        targets={"acme": target},
        references={},
        routes=dict,
        hand_over=nothing,
        paces=lambda _: 1.0,
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
    assert isinstance(fact, Looked)
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
    """Whoever slept between the commit and the act asks nobody for anything any more."""
    reported: list[BaseException] = []
    running = Running(effect=effect, attempt=3, started_at=0, limit=30_000, epoch=1)
    state = HolderState(key="acme/user/1", running=running)
    fact = await effects(Raising(KeyError("asked")), reported).act(state, running, 99.9)
    assert isinstance(fact, Acted)
    assert fact.fault is not None
    assert (fact.fault.code, fact.attempt, reported) == ("HND-006", 3, [])


async def test_what_fails_before_the_hand_over_process_has_sent_nothing() -> None:
    """The copy is as it was; the loop is told so, instead of *unknown*."""
    reported: list[BaseException] = []
    running = Running(effect=Effect.HAND_OVER, attempt=3, started_at=0, limit=30_000, epoch=1)
    state = HolderState(key="acme/user/1", route="removed", running=running)
    fact = await effects(Raising(KeyError("asked")), reported).act(state, running, 130.0)
    assert isinstance(fact.result, NotSent)
    assert fact.result.fault.code == "PLG-001"
    assert fact.result.disclosed == 0
