"""The loop on a real journal."""

from connector.core.events import DeviceEnrolled, Event
from connector.core.model import SubjectKind, subject_key
from connector.core.states import CopyState, HolderState, Phase
from tests.worker.conftest import Stage

DEVICE = subject_key("acme", SubjectKind.DEVICE, "7")
HOLDER = subject_key("acme", SubjectKind.HOLDER, "7")


def enrolled(stage: Stage, name: str = "first") -> Event:
    return Event(
        id=name,
        tenant="acme",
        subject=DEVICE,
        source="workspace-one",
        occurred_at=stage.clock.now(),
        received_at=stage.clock.now(),
        body=DeviceEnrolled(platform="apple"),
    )


async def holder(stage: Stage) -> HolderState | None:
    state = (await stage.journal.load([HOLDER])).get(HOLDER)
    return state if isinstance(state, HolderState) else None


async def test_an_enrolment_becomes_a_completed_delivery(stage: Stage) -> None:
    """From the event to the copy that is gone, with nothing but the passing of time."""
    async with stage.running() as worker:
        await stage.journal.append([enrolled(stage)])
        worker.wake()

        async def done() -> bool:
            state = await holder(stage)
            return bool(state and state.delivery and state.delivery.phase is Phase.COMPLETED)

        await stage.until(done)
    state = await holder(stage)
    assert state is not None
    assert state.copy_.state is CopyState.GONE
    assert len(stage.world.uploads) == 1
