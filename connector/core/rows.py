"""Rows of the journal besides states: due subjects, open acts, known ids, held-up subjects."""

from dataclasses import dataclass
from typing import Literal

from connector.core.lenient import LenientRecord
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

    ``place`` is valid in this process only, and only as long as it owns the partition.
    """

    key: SubjectKey
    place: tuple[int, int]


class HeldUp(LenientRecord):
    """Subjects at which handling failed and that are tried again later.

    How many, since when the first of them, and which one that is.
    """

    count: int
    since: Millis
    subject: SubjectKey


class UnreadableState(Record):
    """A stored state that this version cannot parse: it can be listed and copied.

    ``state`` are its bytes; the rest is what its writer wrote beside them. ``wants`` are lanes and
    times.
    """

    model_config = Record.model_config | {"ser_json_bytes": "base64", "val_json_bytes": "base64"}

    key: SubjectKey
    kind: Literal["holder", "device", "person"]
    phase: str
    route: str
    code: str
    version: int
    act_epoch: int | None
    state: bytes
    wants: tuple[tuple[str, Millis], ...] = ()
