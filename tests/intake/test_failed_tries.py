"""The brake on guessing."""

import pytest

from connector.core.errors import Rejected
from connector.intake.failed_tries import FailedTries


def fail(tries: FailedTries, address: str, times: int, now: float = 0) -> None:
    for _ in range(times):
        tries.note(address, now)


def test_address_is_refused_after_its_last_try_until_the_window_ends() -> None:
    """The third failure of three closes the door for the rest of the minute."""
    tries = FailedTries(limit=3, window=60, addresses=10)
    fail(tries, "192.0.2.1", 2)
    tries.check("192.0.2.1", 1)
    fail(tries, "192.0.2.1", 1, now=1)
    with pytest.raises(Rejected) as caught:
        tries.check("192.0.2.1", 1.5)
    assert (caught.value.code, caught.value.retry_after) == ("AUTH-003", 59)
    tries.check("192.0.2.2", 1.5)
    tries.check("192.0.2.1", 60)


def test_old_failures_do_not_count() -> None:
    """A new window begins at nothing."""
    tries = FailedTries(limit=2, window=60, addresses=10)
    fail(tries, "192.0.2.1", 1)
    fail(tries, "192.0.2.1", 1, now=61)
    tries.check("192.0.2.1", 61)


def test_memory_is_bounded() -> None:
    """A flood of addresses pushes out the longest untouched, never more than the limit are kept."""
    tries = FailedTries(limit=1, window=60, addresses=100)
    for number in range(1000):
        tries.note(f"192.0.{number // 256}.{number % 256}", 0)
    assert len(tries) == 100
    with pytest.raises(Rejected):
        tries.check("192.0.3.231", 1)
    tries.check("192.0.0.0", 1)


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::1", "::2", True),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("nonsense", "other nonsense", True),
    ],
)
def test_ipv6_is_counted_by_site(first: str, second: str, is_same: bool) -> None:  # noqa: FBT001
    """Whoever has one IPv6 address has the whole /64; mapped IPv4 addresses stay apart."""
    tries = FailedTries(limit=1, window=60, addresses=10)
    tries.note(first, 0)
    if is_same:
        with pytest.raises(Rejected):
            tries.check(second, 0)
    else:
        tries.check(second, 0)
