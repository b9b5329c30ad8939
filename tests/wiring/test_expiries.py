"""The service's own certificates: how their ends are reported before they come."""

import base64
import json
from datetime import UTC, datetime, timedelta
from math import inf, isnan
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from connector.core.metric_definitions import OWN_CREDENTIAL_EXPIRY
from connector.core.metrics import NoMetrics
from connector.settings.load import load
from connector.settings.plugins import installed
from connector.wiring import observation
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
    published = metrics.now(OWN_CREDENTIAL_EXPIRY)
    assert published["tls-server",] == published["ca:main",] == told
    assert [one.name for one in expiries.seen()] == ["tls-server", "ca:main"]
    issue_tls(good.parent / "tls", client="pki-connector")
    expiries.look()
    assert board.standing() == ()


def test_a_certificate_that_cannot_be_read_is_passed_over(expiries: Expiries, good: Path) -> None:
    """What opens a connection with it says so; the others are looked at."""
    (good.parent / "tls" / "client.pem").write_text(json.dumps("no certificate"))
    expiries.look()
    assert [one.name for one in expiries.seen()] == ["tls-server"]


def _token(claims: object) -> str:
    """A token as it is mounted; nothing checks its signature here."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"eyJhbGciOiJub25lIn0.{body}.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("a password", inf),
        (_token({"exp": 1_900_000_000}), 1_900_000_000.0),
        (_token({"exp": "never"}), inf),
        (_token(["exp"]), inf),
        ("no.token.é", inf),
    ],
    ids=["password", "token", "no number", "no claims", "no base64"],
)
def test_a_token_says_when_it_ends(
    expiries: Expiries, metrics: Counted, good: Path, text: str, ends: float
) -> None:
    """By the setting that names its file; every other secret has no end that is known."""
    file = load(good, {}, installed()).model_dump()["uems"]["corp"]["password_file"]
    Path(file).write_text(f"{text}\n", encoding="utf-8")
    expiries.look()
    assert metrics.now(OWN_CREDENTIAL_EXPIRY)["uems.corp.password_file",] == ends


def test_each_credential_has_its_series_from_the_start(good: Path, board: Board) -> None:
    """No certificate or secret of the settings is counted as `other`."""
    settings = load(good, {}, installed())
    made = observation.metrics(settings)
    Expiries(settings, MachineClock(), board, made).look()
    names = {
        sample.labels["credential"]
        for family in made.registry.collect()
        if family.name == "pki_connector_own_credential_expiry_timestamp_seconds"
        for sample in family.samples
        if sample.value > 0
    }
    assert {"tls-server", "ca:main", "audit.key_file", "uems.corp.password_file"} <= names
    assert "other" not in names
    assert not [name for name in names if "client_key" in name]


def test_an_unreadable_secret_has_no_end(expiries: Expiries, metrics: Counted, good: Path) -> None:
    """What logs in with it says so; here it is neither endless nor over."""
    Path(load(good, {}, installed()).model_dump()["audit"]["key_file"]).unlink()
    expiries.look()
    assert isnan(metrics.now(OWN_CREDENTIAL_EXPIRY)["audit.key_file",])
