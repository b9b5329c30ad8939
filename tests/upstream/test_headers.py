"""Times in headers: read when they are proper, ignored when they are not."""

import pytest

from connector.upstream.headers import LONGEST_WAIT, reference, retry_after, server_time

DATE = "Tue, 05 Mar 2024 09:13:59 GMT"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("17", 17.0),
        (" 17 ", 17.0),
        ("999999", LONGEST_WAIT),
        ("Tue, 05 Mar 2024 09:14:29 GMT", 30.0),
        ("Wed, 06 Mar 2024 09:14:29 GMT", LONGEST_WAIT),
        ("Tue, 05 Mar 2024 09:13:00 GMT", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("١٢", None),
        ("9" * 400, None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_on_the_servers_clock(
    value: str, seconds: float | None
) -> None:
    """Both spellings are obeyed up to an hour; invalid ones are ignored."""
    assert retry_after({"Retry-After": value, "Date": DATE}) == seconds


def test_a_date_without_the_servers_own_time_is_ignored() -> None:
    """Our clock is not asked: it may differ from the server's."""
    assert retry_after({"Retry-After": "Tue, 05 Mar 2024 09:14:29 GMT"}) is None


def test_a_used_up_budget_names_the_wait() -> None:
    """Without Retry-After the reset of the budget counts, but only if nothing remains."""
    headers = {"Date": DATE, "X-RateLimit-Reset": "1709630099"}
    assert retry_after(headers | {"X-RateLimit-Remaining": "0"}) == 60.0
    assert retry_after(headers | {"X-RateLimit-Remaining": "7"}) is None


@pytest.mark.parametrize(
    ("value", "millis"),
    [(DATE, 1709630039000), ("yesterday", None), ("", None), ("Tue, 05 Mar 99999 09:13:59", None)],
)
def test_the_servers_clock_is_its_date_header(value: str, millis: int | None) -> None:
    """A missing or broken Date is no time, not an error."""
    assert server_time({"Date": value}) == millis


def test_the_servers_own_number_of_an_answer_is_kept_if_it_looks_like_one() -> None:
    """Support asks for it; markup or secrets in its place are left out."""
    number = "8f0d3c5e-0000-4000-8000-000000000000"
    assert reference({"X-Correlation-Id": number}) == f", correlation {number}"
    assert not reference({"X-Correlation-Id": "<b>x</b> and more"})
    assert not reference({})
