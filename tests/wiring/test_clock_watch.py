"""The doubt about the time, as operators see it."""

from connector.core.conditions import Severity
from connector.core.metric_definitions import CONDITIONS
from connector.wiring import clock_watch
from connector.wiring.conditions import Board
from connector.worker.partition_clock import Doubt
from tests.support.clocks import ManualClock
from tests.support.counted import Counted

NOW = 1_800_000_000_000


def test_a_doubt_stands_by_the_numbers_of_the_widest_gap() -> None:
    """And until no partition has one."""
    counted = Counted()
    board = Board(ManualClock(), counted)
    doubts = {0: Doubt(NOW, NOW + 400_000), 3: Doubt(NOW, NOW - 900_000)}
    clock_watch.look(doubts, board)
    (standing,) = board.standing()
    assert (standing.severity, standing.code) == (Severity.CRITICAL, "CLK-002")
    assert standing.text == "the clock is 900 s behind the journal in 2 partition(s)"
    assert counted.now(CONDITIONS) == {("CLK-002",): 1}
    clock_watch.look({}, board)
    assert board.standing() == ()
