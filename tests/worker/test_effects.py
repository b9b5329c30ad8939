"""Performing effects: whatever a plug-in raises comes back as a fault."""

from typing import Any

import pytest

from connector.core.errors import Permanent, Transient
from connector.core.facts import Looked
from connector.core.states import DeviceState, Effect
from connector.worker.effects import UpstreamEffects


class Raising:
    """A target that raises whatever it is asked."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def look_up_device(self, _device: str) -> None:
        raise self.error


@pytest.mark.parametrize(
    "error",
    [KeyError("x"), Permanent("no code"), Transient("UEM-001", retry_after=float("inf"))],
)
async def test_nonsense_of_a_plug_in_stops_nobody(error: Exception) -> None:
    """An exception that is no fault of ours is one attempt of one subject, and is reported."""
    reported: list[BaseException] = []
    target: Any = Raising(error)
    nothing: Any = None
    effects = UpstreamEffects(
        backends={},
        targets={"acme": target},
        references={},
        routes=dict,
        hand_over=nothing,
        now=lambda: 0,
        monotonic=lambda: 0.0,
        unexpected=lambda _, raised: reported.append(raised),
    )
    fact = await effects.look(Effect.LOOK_UP_DEVICE, DeviceState(key="acme/device/1"))
    assert isinstance(fact, Looked)
    assert fact.fault is not None
    assert fact.fault.code == "PLG-001"
    assert reported == [error]
