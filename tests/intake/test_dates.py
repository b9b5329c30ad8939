"""The times that UEM releases write."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.intake.dates import LATEST, read_time

EVENING = 1_644_869_421_000


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2022-02-14T20:10:21", EVENING),
        ("2022-02-14T20:10:21.5", EVENING + 500),
        ("2022-02-14T20:10:21.540", EVENING + 540),
        ("2022-02-14T20:10:21.54012Z", EVENING + 540),
        ("2022-02-14T20:10:21.5409999Z", EVENING + 540),
        ("2022-02-14T21:10:21.54012+01:00", EVENING + 540),
        ("2022-02-14 20:10:21", EVENING),
        ("02/14/2022 20:10:21", EVENING),
        ("2/14/2022 8:10:21 PM", EVENING),
        ("/Date(1644869421000)/", EVENING),
        ("/Date(1644869421000+0100)/", EVENING),
        (" 2022-02-14T20:10:21Z\n", EVENING),
    ],
)
def test_every_shape_seen_is_read(text: str, moment: int) -> None:
    """Fractions are cut to milliseconds; without a zone it is UTC."""
    assert read_time(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "soon",
        "14.02.2022",
        "/Date()/",
        "/Date(-1)/",
        "/Date(999999999999999)/",
        "0001-01-01",
    ],
)
def test_no_time_is_none(text: str) -> None:
    """What names no moment, or one before 1970, is as good as missing."""
    assert read_time(text) is None


@given(st.text(max_size=40))
def test_any_text_is_a_moment_or_none(text: str) -> None:
    """Nothing is raised, and what comes fits into our calendar."""
    moment = read_time(text)
    assert moment is None or 0 < moment <= LATEST


@given(st.datetimes(min_value=datetime(1970, 1, 2), timezones=st.just(UTC)))  # noqa: DTZ001
def test_what_python_writes_is_read_back(moment: datetime) -> None:
    """To the millisecond, with and without fractions."""
    found = read_time(moment.isoformat())
    assert found is not None
    assert abs(found / 1000 - moment.timestamp()) <= 0.002
