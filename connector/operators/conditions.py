"""Conditions of the service: made with the catalogue's advice, and found in the journal."""

from collections.abc import Iterable, Iterator

from connector.catalogue import catalogue
from connector.core.conditions import Condition, Severity
from connector.core.journal import DeadLetter, PartitionRecord
from connector.core.model import Millis
from connector.core.rows import HeldUp
from connector.sources.refusals import Refused


def condition(
    severity: Severity, code: str, text: str, since: Millis | None = None, action: str = ""
) -> Condition:
    """A condition; without an ``action`` of its own it has the catalogue's for its code."""
    return Condition(
        severity=severity,
        code=code,
        text=text,
        since=since,
        action=action or catalogue()[code].action,
    )


def of_letters(letters: Iterable[DeadLetter]) -> Iterator[Condition]:
    """Records that could not be read, by code."""
    by_code: dict[str, list[DeadLetter]] = {}
    for letter in letters:
        by_code.setdefault(letter.code, []).append(letter)
    for code, alike in by_code.items():
        text = f"{len(alike)} record(s) are in the dead letters"
        yield condition(Severity.WARNING, code, text, min(letter.at for letter in alike))


def of_held_up(records: Iterable[PartitionRecord]) -> Iterator[Condition]:
    """Subjects that are left alone because handling them fails, by code."""
    by_code: dict[str, list[HeldUp]] = {}
    for record in records:
        for code, held in record.held_up.items():
            by_code.setdefault(code, []).append(held)
    for code, alike in by_code.items():
        first = min(alike, key=lambda held: held.since)
        count = sum(held.count for held in alike)
        text = f"{count} subject(s) cannot be handled and wait, first {first.subject}"
        yield condition(Severity.WARNING, code, text, first.since)


def of_refused(refused: Iterable[Refused]) -> Iterator[Condition]:
    """Notifications that were refused; unknown senders are counted together."""
    for one in refused:
        whose = f"for {one.sender}" if one.sender else "for senders that are not in the settings"
        severity = Severity.WARNING if one.sender else Severity.NOTICE
        text = f"{one.number} webhook(s) {whose} refused within the last hour"
        yield condition(severity, one.code, text, one.since)
