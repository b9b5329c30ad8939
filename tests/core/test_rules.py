"""Back-off, and the chain of the audit trail."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.audit import GENESIS, AuditEntry, AuditRecord, link, verify
from connector.core.errors import Family, Fault
from connector.core.model import DAY, SECOND
from connector.core.policy import Retry
from connector.core.retry import backoff, poll
from connector.core.secret import Credential

RETRY = Retry(first=2 * SECOND, cap=60 * SECOND)
KEY = Credential("k" * 32)


@given(attempts=st.integers(0, 10_000), dice=st.floats(0, 1, exclude_max=True))
def test_backoff_grows_to_its_cap_and_is_never_nothing(attempts: int, dice: float) -> None:
    """Full jitter over the step."""
    wait = backoff(RETRY, attempts, lambda: dice)
    assert 1 <= wait <= RETRY.cap
    assert wait <= RETRY.first * 2 ** max(attempts - 1, 0)


@given(asked=st.floats(0, 10**9))
def test_what_the_upstream_asked_for_is_waited_at_least(asked: float) -> None:
    """Up to a day; more than that is a mistake of its."""
    fault = Fault(code="CA-003", family=Family.TRANSIENT, retry_after=asked)
    assert backoff(RETRY, 1, lambda: 0.0, fault) >= min(int(asked * SECOND), DAY)
    assert backoff(RETRY, 1, lambda: 0.0, fault) <= max(DAY, 1)


@given(looks=st.integers(0, 10_000), dice=st.floats(0, 1, exclude_max=True))
def test_looks_at_something_slow_are_spread_and_capped(looks: int, dice: float) -> None:
    """Never more often than three quarters of the first step."""
    assert RETRY.first * 3 // 4 <= poll(RETRY, looks, lambda: dice) <= RETRY.cap


def chain(count: int = 5) -> list[AuditRecord]:
    entries = [AuditEntry(at=n, subject="acme/user/1", action=f"act.{n}") for n in range(count)]
    return list(link(KEY, partition=0, epoch=1, head="", count=0, entries=entries))


def test_a_whole_chain_is_found_whole_also_when_it_was_cut_after_export() -> None:
    """With the sequence and MAC before the first record that is left."""
    records = chain()
    assert list(verify(KEY, 0, records, head=records[-1].mac, count=5)) == []
    assert list(verify(KEY, 0, records[2:], start=(2, records[1].mac), count=5)) == []
    assert list(verify(KEY, 0, [], start=(0, GENESIS), count=0)) == []


def broken() -> Iterator[Any]:
    whole = chain()
    forged = whole[2].model_copy(
        update={"entry": whole[2].entry.model_copy(update={"actor": "nobody"})}
    )
    yield pytest.param([*whole[:2], forged, *whole[3:]], id="changed")
    yield pytest.param(whole[:2] + whole[3:], id="missing")
    yield pytest.param([*whole[:3], whole[2], *whole[3:]], id="doubled")
    yield pytest.param([whole[1], whole[0], *whole[2:]], id="out of order")
    yield pytest.param(whole[:-1], id="cut off")
    yield pytest.param([one.model_copy(update={"partition": 1}) for one in whole], id="elsewhere")
    yield pytest.param([one.model_copy(update={"epoch": 2}) for one in whole], id="another owner")


@pytest.mark.parametrize("records", list(broken()))
def test_a_chain_that_was_tampered_with_is_found(records: list[AuditRecord]) -> None:
    """Changed, missing, doubled, re-ordered, cut off, moved."""
    assert list(verify(KEY, 0, records, head=chain()[-1].mac, count=5))


def test_only_the_key_makes_a_chain() -> None:
    """Write access to the journal is not enough to forge the trail."""
    assert len(list(verify(Credential("x" * 32), 0, chain()))) == 5
