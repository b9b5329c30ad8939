"""What a record that bridges a broken chain claims to follow."""

import pytest
from pydantic import JsonValue

from connector.core.audit import ACCEPTED, GENESIS, AuditEntry, AuditRecord, resumed

MAC = "b" * 64


def record(head: str, through: int = 6, outcome: str = "ok") -> AuditRecord:
    details: dict[str, JsonValue] = {"through": through, "head": head}
    entry = AuditEntry(at=1, action=ACCEPTED, subject="audit", outcome=outcome, details=details)
    return AuditRecord(partition=0, sequence=7, epoch=1, entry=entry, mac=MAC)


@pytest.mark.parametrize(("head", "follows"), [("a" * 64, "a" * 64), ("", GENESIS)])
def test_it_follows_the_head_that_it_names(head: str, follows: str) -> None:
    """None is named where everything before was cut off or lost."""
    assert resumed(record(head)) == (6, follows)


def test_it_follows_nothing_but_the_record_before() -> None:
    assert resumed(record(MAC, through=5)) is None


def test_a_refused_command_bridges_nothing() -> None:
    assert resumed(record(MAC, outcome="AUD-003")) is None
