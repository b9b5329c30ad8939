"""The brake on guessing."""

import pytest

from connector.core.errors import Rejected
from connector.sources.failed_tries import FailedTries


def fail(tries: FailedTries, address: str, times: int = 1, now: float = 0) -> None:
    for _ in range(times):
        tries.note(address, "acme", now)


def test_address_is_told_to_wait_after_its_last_try_until_the_window_ends() -> None:
    """The fourth failure of three is answered with the seconds that are left."""
    tries = FailedTries(limit=3, window=60, addresses=10)
    fail(tries, "192.0.2.1", 3)
    with pytest.raises(Rejected) as caught:
        fail(tries, "192.0.2.1", now=1.5)
    assert (caught.value.code, caught.value.retry_after) == ("AUTH-003", 59)
    fail(tries, "192.0.2.2", now=1.5)
    fail(tries, "192.0.2.1", 3, now=60)


def test_old_failures_do_not_count() -> None:
    """A new window begins at nothing."""
    tries = FailedTries(limit=2, window=60, addresses=10)
    fail(tries, "192.0.2.1", 2)
    fail(tries, "192.0.2.1", 2, now=61)


def test_each_tenant_has_a_count_of_its_own() -> None:
    """Guessing at one tenant, or at one that does not exist, is not counted for another."""
    tries = FailedTries(limit=1, window=60, addresses=10)
    for tenant in ("acme", "lonely", "nobody"):
        tries.note("192.0.2.1", tenant, 0)
    with pytest.raises(Rejected):
        tries.note("192.0.2.1", "nobody", 1)


def test_memory_is_bounded() -> None:
    """A flood of addresses pushes out the longest untouched, never more than the limit are kept."""
    tries = FailedTries(limit=1, window=60, addresses=100)
    for number in range(1000):
        fail(tries, f"192.0.{number // 256}.{number % 256}")
    assert len(tries) == 100
    with pytest.raises(Rejected):
        fail(tries, "192.0.3.231", now=1)
    fail(tries, "192.0.0.0", now=1)


def test_names_of_strangers_take_no_room() -> None:
    """What is kept of the tenant in the path has a fixed size, however long the path was."""
    tries = FailedTries(limit=1, window=60, addresses=10)
    tries.note("192.0.2.1", "x" * 8000, 0)
    assert "xx" not in str(vars(tries))


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::1", "::2", True),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
    ],
)
def test_ipv6_is_counted_by_site(first: str, second: str, is_same: bool) -> None:  # noqa: FBT001
    """One IPv6 address stands for the whole /64; mapped IPv4 addresses stay apart."""
    tries = FailedTries(limit=1, window=60, addresses=10)
    fail(tries, first)
    if is_same:
        with pytest.raises(Rejected):
            fail(tries, second)
    else:
        fail(tries, second)
