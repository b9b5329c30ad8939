"""Durations, and names that look secret."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.values import DURATION_PATTERN, parse_duration, render_duration
from connector.settings.secrecy import looks_secret


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3s", 3),
        ("500ms", 0.5),
        ("1h30m", 5400),
        ("48h", 172_800),
        ("14d", 1_209_600),
        ("PT48H", 172_800),
        ("P14D", 1_209_600),
        ("P1DT12H", 129_600),
        ("P2W", 1_209_600),
        ("0s", 0),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    """Numbers with units, and ISO 8601."""
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["48", "", "h", "1 h", "-3s", "P", "PT", "1y", "P1Y", "1.5h", "99999d", 7, None, True]
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    """Bare numbers, signs, years, and nothing at all."""
    with pytest.raises(ValueError, match=r"duration|hundred"):
        parse_duration(text)


@given(st.timedeltas(timedelta(), timedelta(days=36_500)))
def test_a_duration_survives_being_written(value: timedelta) -> None:
    """What is rendered is read back to the same, and fits the schema's pattern."""
    whole = value // timedelta(milliseconds=1) * timedelta(milliseconds=1)
    assert re.fullmatch(DURATION_PATTERN, render_duration(whole))
    assert parse_duration(render_duration(whole)) == whole


@pytest.mark.parametrize("name", ["password", "tenant_code", "client_secret", "API_KEY", "key"])
def test_secret_names(name: str) -> None:
    """Names that would hold a secret; with ``_file`` they hold a path."""
    assert looks_secret(name)
    assert not looks_secret(f"{name}_file")
    assert not looks_secret(f"{name}_files")
