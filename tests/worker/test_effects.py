"""Performing effects: whatever a plug-in raises comes back as a fault."""

from typing import Any

import pytest

from connector.core.errors import Permanent, Transient
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


def effects(target: Any, reported: list[BaseException]) -> UpstreamEffects:
    nothing: Any = None
    return UpstreamEffects(
        backends={},
        targets={"acme": target},
        references={},
        routes=dict,
        hand_over=nothing,
        paces=lambda _: 1.0,
        now=lambda: 0,
        monotonic=lambda: 100.0,
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
        Effect.LOOK_UP_DEVICE, DeviceState(key="acme/device/1")
    )
    assert isinstance(fact, Looked)
    assert fact.fault is not None
    assert fact.fault.code == "PLG-001"
    assert reported == [error]


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
