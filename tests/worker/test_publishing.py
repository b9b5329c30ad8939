"""What a worker publishes of its audit chain."""

from connector.core.events import DeviceEnrolled, Event
from connector.core.metric_definitions import AUDIT_HEAD_PREFIX, AUDIT_LAST_APPEND, AUDIT_RECORDS
from connector.core.model import SubjectKind, subject_key
from tests.support.counted import Counted
from tests.worker.conftest import Stage


async def recorded(stage: Stage) -> None:
    """Let one notification leave its audit records."""
    event = Event(
        id="first",
        tenant="acme",
        subject=subject_key("acme", SubjectKind.DEVICE, "7"),
        source="workspace-one",
        occurred_at=stage.clock.now(),
        received_at=stage.clock.now(),
        body=DeviceEnrolled(platform="apple"),
    )
    async with stage.running() as worker:
        await stage.journal.append([event])
        worker.wake()
        await stage.until(lambda: len(stage.told) > 1)


async def test_the_end_of_the_chain_is_published_at_take_over(stage: Stage) -> None:
    """After a restart head and count are there before anything new is recorded."""
    await recorded(stage)
    stage.metrics = ends = Counted()
    last = stage.told[-1]
    async with stage.running():
        assert ends.of(AUDIT_RECORDS)[0] == (last.sequence, ("0",))
        assert ends.of(AUDIT_HEAD_PREFIX)[0] == (int(last.mac[:12], 16), ("0",))
        assert ends.of(AUDIT_LAST_APPEND)[0][0] > 0


async def test_every_durable_record_is_told_once(stage: Stage) -> None:
    """In the order of the chain, from the first one on."""
    await recorded(stage)
    assert [record.sequence for record in stage.told] == list(range(1, len(stage.told) + 1))
