"""What a worker publishes of its audit chain."""

from connector.core.events import DeviceEnrolled, Event
from connector.core.metrics import NoMetrics
from connector.core.model import Millis, SubjectKind, subject_key
from tests.worker.conftest import Stage


class Ends(NoMetrics):
    """Keeps the ends of chains that were published."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int, str]] = []

    def audit_appended(self, partition: int, count: int, head: str, now: Millis) -> None:
        assert now > 0
        self.seen.append((partition, count, head))


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
    stage.metrics = ends = Ends()
    last = stage.told[-1]
    async with stage.running():
        assert ends.seen[0] == (0, last.sequence, last.mac)


async def test_every_durable_record_is_told_once(stage: Stage) -> None:
    """In the order of the chain, from the first one on."""
    await recorded(stage)
    assert [record.sequence for record in stage.told] == list(range(1, len(stage.told) + 1))
