"""The times that UEM releases write, in notifications and in the interface."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.integrations.workspace_one.times import LATEST, read_time
from connector_testkit.simulators.uem.dates import SHAPES

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
    assert moment is None or 0 <= moment <= LATEST


@given(st.datetimes(min_value=datetime(1970, 1, 2), timezones=st.just(UTC)))  # noqa: DTZ001
def test_what_python_writes_is_read_back(moment: datetime) -> None:
    """To the millisecond, with and without fractions."""
    found = read_time(moment.isoformat())
    assert found is not None
    assert abs(found / 1000 - moment.timestamp()) <= 0.002


@pytest.mark.parametrize(
    ("text", "millis"),
    [
        ("2022-02-14T20:10:21.540", 1644869421540),
        ("2022-02-14T20:10:21", 1644869421000),
        ("2020-02-24T16:52:25.9231303Z", 1582563145923),
        ("2020-02-24T16:52:25.92313Z", 1582563145923),
        ("2020-02-24T18:52:25.923+02:00", 1582563145923),
        ("2022-02-14 20:10:21", 1644869421000),
        ("02/14/2022 20:10:21", 1644869421000),
        ("2/14/2022 8:10:21 PM", 1644869421000),
        ("2/14/2022 12:00:00 AM", 1644796800000),
        ("7/30/2026 12:00:00", 1785412800000),
        ("7/30/2026", 1785369600000),
        ("/Date(1391182403986)/", 1391182403986),
        ("/Date(1391182403986+0100)/", 1391182403986),
        ("0001-01-01T00:00:00.000", None),
        ("1/1/0001 12:00:00 AM", None),
        ("/Date(-62135596800000)/", None),
        ("13/13/2022 20:10:21", None),
        ("2/14/2022 0:10:21 PM", None),
        ("yesterday", None),
        ("", None),
        ("9" * 400, None),
    ],
)
def test_dates_of_all_shapes_are_read(text: str, millis: int | None) -> None:
    """Known shapes are moments in UTC; "never" and invalid text are none."""
    assert read_time(text) == millis


@given(st.integers(min_value=0, max_value=4_000_000_000), st.sampled_from(SHAPES))
def test_a_date_means_the_same_in_every_shape(seconds: int, shape: Any) -> None:
    """Whole seconds survive in every format of the server."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    found = read_time(shape(moment))
    assert found is not None
    assert found // 1000 == seconds
