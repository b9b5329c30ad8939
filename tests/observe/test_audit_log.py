"""The story that the log tells of a delivery."""

import pytest

from connector.core.audit import AuditEntry, AuditRecord
from connector.observe.audit_log import LOOKS, tell
from connector.observe.logs import LogOptions
from tests.observe.lines import KEY, logging_to

NOW = 1_772_700_000_000
DIGEST = "ab" * 32


def recorded(subject: str = "acme/user/12", **entry: object) -> AuditRecord:
    facts = {"at": NOW, "subject": subject, "action": "hand_over.started", **entry}
    return AuditRecord(
        partition=3, sequence=7, epoch=1, entry=AuditEntry.model_validate(facts), mac=DIGEST
    )


def logged(record: AuditRecord, level: str = "info") -> list[dict[str, object]]:
    with logging_to(LogOptions(level, KEY)) as lines:
        tell(record)
    assert lines.dropped == []
    return lines.all()


def test_a_move_is_one_line() -> None:
    """Who (as a hash), what, in which delivery, how many keys, and where the record is."""
    (line,) = logged(recorded(delivery="0123456789abcdef0123", route="staff", generations=[DIGEST]))
    assert (line["event"], line["level"]) == ("audit.recorded", "info")
    assert (line["action"], line["delivery_id"]) == ("hand_over.started", "0123456789abcdef0123")
    assert (line["partition"], line["sequence"], line["keys"]) == (3, 7, 1)
    assert str(line["holder"]).startswith("user:")
    assert "acme/user/12" not in str(line)


def test_a_failure_is_a_warning_with_its_code() -> None:
    """What went wrong can be filtered by level and found by its code."""
    (line,) = logged(recorded(action="delivery.failed", outcome="UEM-400"), "warning")
    assert (line["level"], line["error_code"]) == ("warning", "UEM-400")


@pytest.mark.parametrize("action", sorted(LOOKS))
def test_a_look_is_told_in_detail_only(action: str) -> None:
    """Looks are repeated by the minute: at the usual level they are silent unless they fail."""
    assert logged(recorded(action=action)) == []
    assert len(logged(recorded(action=action), "debug")) == 1
    assert len(logged(recorded(action=action, outcome="CA-001"))) == 1


def test_other_subjects() -> None:
    """A device is named by its key, a person by a hash, a partition by its number."""
    (device,) = logged(recorded("acme/device/15"))
    assert device["device"] == "acme/device/15"
    (person,) = logged(recorded("corp/person/mara"))
    assert str(person["person"]).startswith("user:")
    (brake,) = logged(recorded("-/partition/3", action="person.paused", actor="local:0 as mallory"))
    assert brake["partition"] == 3
    assert "mallory" not in str(brake)


def test_chosen_words_stay_in_the_trail() -> None:
    """Reasons are free text of people and upstreams: the log does not repeat them."""
    (line,) = logged(recorded(reason="mara asked for it", details={"serial": "F2L1"}))
    assert "mara" not in str(line)
    assert "F2L1" not in str(line)
