"""Status, condition, log and metrics of pulling."""

from structlog.testing import capture_logs

from connector.core.errors import Permanent, Transient
from connector.core.feed import FeedPosition
from connector.core.metric_definitions import PULL_LAST_SUCCESS, PULLED_EVENTS
from connector.core.metrics import NoMetrics
from connector.core.model import SECOND
from connector.wiring.conditions import Board
from connector.wiring.pulls import Watch
from tests.support.clocks import NOW, ManualClock
from tests.support.counted import Counted

NAME = "uem:acme"
REFUSED = Permanent("UEM-401", "pulling: refused").fault()
AWAY = Transient("UEM-001", "pulling: no answer").fault()


class Told:
    """A watch, and where it tells."""

    def __init__(self) -> None:
        self.clock, self.metrics = ManualClock(), Counted()
        self.board = Board(self.clock, NoMetrics())
        self.watch = Watch(self.clock, self.board, self.metrics)

    def page(self) -> None:
        self.watch.pulled(NAME, {("device_enrolled", True): 1})

    def codes(self) -> list[str]:
        return [one.code for one in self.board.standing()]


def test_what_a_person_must_do_is_a_condition_until_a_page_comes() -> None:
    told = Told()
    told.watch.failed(NAME, REFUSED)
    assert told.codes() == ["UEM-401"]
    assert NAME in told.board.standing()[0].text
    told.page()
    assert told.codes() == []
    assert told.metrics.of(PULLED_EVENTS) == [(1, (NAME, "device_enrolled", "accepted"))]
    assert told.metrics.now(PULL_LAST_SUCCESS) == {(NAME,): NOW / SECOND}


def test_what_passes_by_itself_is_no_condition() -> None:
    """The upstream's outage is reported already; the feed's line in status has the code."""
    told = Told()
    told.watch.failed(NAME, AWAY)
    assert told.codes() == []
    assert told.watch.view(NAME, None).code == "UEM-001"


def test_a_failure_is_logged_once_for_each_reason_and_when_it_is_over() -> None:
    told = Told()
    with capture_logs() as lines:
        for fault in (AWAY, AWAY, REFUSED):
            told.watch.failed(NAME, fault)
        told.page()
        told.page()
    shown = [(line["event"], line.get("backend"), line.get("error_code")) for line in lines]
    assert [one for one in shown if one[0].startswith("pull.")] == [
        ("pull.failed", NAME, "UEM-001"),
        ("pull.failed", NAME, "UEM-401"),
        ("pull.continued", NAME, None),
    ]


def test_status_shows_the_last_pull_and_since_when_the_position_stands() -> None:
    told = Told()
    position = FeedPosition(position="17", epoch=1, at=400)
    told.page()
    view = told.watch.view(NAME, position)
    assert (view.last_pull, view.position_since, view.code) == (NOW, 400, None)
    assert "17" not in view.model_dump_json()


def test_another_process_that_pulls_from_now_on_is_not_spoken_for() -> None:
    """Neither its time nor its condition; what is in the journal is known here as well."""
    told = Told()
    told.page()
    told.watch.failed(NAME, REFUSED)
    told.watch.stopped(NAME)
    view = told.watch.view(NAME, FeedPosition(position="17", epoch=1, at=400))
    assert (view.last_pull, view.position_since, view.code) == (None, 400, None)
    assert told.codes() == []
