"""Conditions of a process: what stands, since when, and how often it is logged."""

from structlog.testing import capture_logs

from connector.core.conditions import Condition, Severity, worst_first
from connector.core.metric_definitions import CONDITIONS
from connector.core.metrics import NoMetrics
from connector.wiring.conditions import Board
from tests.support.clocks import NOW, ManualClock
from tests.support.counted import Counted


def test_a_condition_stands_from_its_first_report_to_its_end() -> None:
    """Its time is that of the first report, its words are those of the last one."""
    clock, counted = ManualClock(), Counted()
    board = Board(clock, counted)
    board.report("journal", Severity.CRITICAL, "JRN-001", "3 refused")
    clock.advance(500)
    board.report("journal", Severity.CRITICAL, "JRN-001", "4 refused")
    (standing,) = board.standing()
    assert (standing.text, standing.since) == ("4 refused", NOW)
    assert standing.action
    assert counted.now(CONDITIONS) == {("JRN-001",): 1}
    board.clear("journal")
    board.clear("journal")
    assert board.standing() == ()
    assert counted.now(CONDITIONS) == {("JRN-001",): 0}


def test_a_condition_is_logged_when_it_begins_and_when_it_ends() -> None:
    """Reports in between say nothing new; another code is another condition."""
    board = Board(ManualClock(), NoMetrics())
    with capture_logs() as lines:
        for _ in range(3):
            board.report("trail", Severity.CRITICAL, "AUD-001", "partition 0")
        board.report("trail", Severity.WARNING, "JRN-001", "slow")
        board.clear("trail")
    told = [(line["event"], line["error_code"], line["log_level"]) for line in lines]
    assert told == [
        ("condition.began", "AUD-001", "error"),
        ("condition.began", "JRN-001", "warning"),
        ("condition.ended", "JRN-001", "info"),
    ]


def test_two_reporters_of_one_code_are_counted_apart() -> None:
    """One of them may end before the other."""
    counted = Counted()
    board = Board(ManualClock(), counted)
    for name in ("a", "b"):
        board.report(name, Severity.WARNING, "AUD-001", name)
    assert counted.now(CONDITIONS) == {("AUD-001",): 2}
    board.clear("a")
    assert counted.now(CONDITIONS) == {("AUD-001",): 1}


def test_the_worst_comes_first() -> None:
    """By severity, then by age; without a time at the end."""

    def one(severity: Severity, since: int | None) -> Condition:
        return Condition(severity=severity, code="JRN-001", text="", since=since, action="")

    wanted = [
        one(Severity.CRITICAL, 5),
        one(Severity.CRITICAL, None),
        one(Severity.WARNING, 1),
        one(Severity.WARNING, 2),
        one(Severity.NOTICE, 1),
    ]
    assert list(worst_first(reversed(wanted))) == wanted
