"""The service's own check of its audit trail, and its word about the mounted key."""

import asyncio
from pathlib import Path

from connector.core.journal import PartitionRecord
from connector.core.metric_definitions import AUDIT_CHAIN_VALID
from connector.core.metrics import Gauge, NoMetrics
from connector.core.secret import Credential
from connector.wiring.audit_key import report_key
from connector.wiring.conditions import Board
from connector.wiring.ownership import together
from connector.wiring.trail_watch import TrailWatch
from tests.operators.world import AdminWorld, holder
from tests.patience import PATIENCE
from tests.support.clocks import ManualClock


class Valid(NoMetrics):
    """Keeps the outcomes of checks."""

    def __init__(self) -> None:
        self.outcomes: list[bool] = []
        self.seen = asyncio.Event()

    def gauge(self, metric: Gauge, value: float, /, **labels: str) -> None:
        super().gauge(metric, value, **labels)
        if metric is AUDIT_CHAIN_VALID:
            self.outcomes.append(bool(value))
            self.seen.set()


async def test_a_broken_trail_is_found_without_anybody_asking(tmp_path: Path) -> None:
    """The gauge and a critical condition say so, until a check finds it whole again."""
    world, metrics = AdminWorld(tmp_path), Valid()
    board = Board(ManualClock(), metrics)
    watch = TrailWatch(world.journal, [world.key], board, metrics)
    await world.open()
    try:
        await world.put(*(holder(number) for number in range(10, 20)))
        await watch.check()
        assert (metrics.outcomes, board.standing()) == ([True], ())
        await world.journal._opened().writer.run(
            lambda connection, _: connection.execute("DELETE FROM audit WHERE sequence = 2")
        )
        await watch.check()
        (condition,) = board.standing()
        assert (condition.severity, condition.code) == ("critical", "AUD-001")
        assert "from record 3 on" in condition.text
        assert metrics.outcomes == [True, False]
    finally:
        await world.journal.close()


async def test_checks_come_by_themselves_and_end_with_the_duty(tmp_path: Path) -> None:
    """Beside the other duty of the owner of the first partition."""
    world, metrics = AdminWorld(tmp_path), Valid()
    watch = TrailWatch(world.journal, [world.key], Board(ManualClock(), metrics), metrics)
    other_ended = asyncio.Event()

    async def other() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            other_ended.set()

    await world.open()
    duties = together((), lambda: watch.follow(0.0, 0.0), other)
    duty = asyncio.get_running_loop().create_task(duties(PartitionRecord(partition=0)))
    try:
        async with asyncio.timeout(PATIENCE):
            await metrics.seen.wait()
            duty.cancel()
            await asyncio.wait({duty})
            await other_ended.wait()
    finally:
        await world.journal.close()


def test_another_key_that_is_mounted_is_told() -> None:
    """Before the next start refuses it; the right one again is the end of it."""
    used, other = Credential("u" * 40), Credential("o" * 40)
    board = Board(ManualClock(), NoMetrics())
    report_key(other, used, board)
    assert [one.code for one in board.standing()] == ["AUD-004"]
    report_key(used, used, board)
    assert board.standing() == ()
