"""The service's own certificates: how their ends are told before they come."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from connector.core.metric_definitions import OWN_CREDENTIAL_EXPIRY
from connector.core.metrics import NoMetrics
from connector.settings.load import load
from connector.settings.plugins import installed
from connector.wiring.clock import MachineClock
from connector.wiring.conditions import Board
from connector.wiring.expiries import Expiries
from connector_testkit.simulators.tls import issue_tls
from tests.cli.good_settings import write_good
from tests.support.counted import Counted


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write_good(tmp_path)


@pytest.fixture
def metrics() -> Counted:
    return Counted()


@pytest.fixture
def board() -> Board:
    return Board(MachineClock(), NoMetrics())


@pytest.fixture
def expiries(good: Path, board: Board, metrics: Counted) -> Expiries:
    return Expiries(load(good, {}, installed()), MachineClock(), board, metrics)


@pytest.mark.parametrize(
    ("days", "severity", "code"),
    [(-1, "critical", "CRT-001"), (3, "critical", "CRT-002"), (20, "warning", "CRT-002")],
)
def test_what_ends_is_a_condition_until_it_is_replaced(
    expiries: Expiries,
    board: Board,
    metrics: Counted,
    good: Path,
    days: int,
    severity: str,
    code: str,
) -> None:
    """Logged at each look, on the board, in the metric, and among the certificates shown."""
    ends = datetime.now(UTC) + timedelta(days=days)
    issue_tls(good.parent / "tls", client="pki-connector", ends=ends)
    with capture_logs() as logged:
        expiries.look()
        expiries.look()
    assert [(one.severity, one.code) for one in board.standing()] == [(severity, code)] * 2
    assert sum(line["event"] == "credential.expires" for line in logged) == 4
    told = int(ends.timestamp())
    assert metrics.now(OWN_CREDENTIAL_EXPIRY) == {("tls-server",): told, ("ca:main",): told}
    assert [one.name for one in expiries.seen()] == ["tls-server", "ca:main"]
    issue_tls(good.parent / "tls", client="pki-connector")
    expiries.look()
    assert board.standing() == ()


def test_a_certificate_that_cannot_be_read_is_passed_over(expiries: Expiries, good: Path) -> None:
    """What opens a connection with it says so; the others are looked at."""
    (good.parent / "tls" / "client.pem").write_text(json.dumps("no certificate"))
    expiries.look()
    assert [one.name for one in expiries.seen()] == ["tls-server"]
