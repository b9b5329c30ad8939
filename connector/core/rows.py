"""What a journal answers with besides states: who is due, which acts are open, which ids known."""

from dataclasses import dataclass

from connector.core.model import Millis, Record, SubjectKey

FIRST_PLACE = (-1, -1)
"""Before all open acts."""


class Due(Record):
    """A subject whose effect is due."""

    key: SubjectKey
    due: Millis


class KnownId(Record):
    """An id of an event that its subject has consumed, and when that event was received."""

    subject: SubjectKey
    id: str
    at: Millis


@dataclass(frozen=True, slots=True)
class OpenAct:
    """A subject with an act that an earlier owner left open; the search goes on behind ``place``.

    ``place`` means something to this process only, and only as long as it owns the partition.
    """

    key: SubjectKey
    place: tuple[int, int]
