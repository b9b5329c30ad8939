"""Whether commands in the journal have been applied by the owners of their subjects."""

from pydantic import Field

from connector.core.journal import Journal
from connector.core.model import Record, SubjectKey

AT_ONCE = 200
"""How many acts one question may name."""


class ActEvents(Record):
    """By subject, the id of the last event that a command appended for it."""

    events: dict[SubjectKey, str] = Field(max_length=AT_ONCE)


class NotApplied(Record):
    """The subjects whose event has not been applied yet, as far as is known here."""

    subjects: tuple[SubjectKey, ...]


async def not_applied(journal: Journal, asked: ActEvents) -> NotApplied:
    """Which of these events have not been applied."""
    waiting = [key for key, name in asked.events.items() if not await journal.consumed(key, name)]
    return NotApplied(subjects=tuple(waiting))
