"""The state of a person."""

from typing import Literal

from connector.core.model import Millis, Record, SubjectKey
from connector.core.states.wants import Want


class PersonState(Record):
    """A human as the CA knows them: the holders to tell when their certificates change.

    ``changed_at``: when the certificates changed last. ``unused_since``: since when no holder is
    registered and nothing was heard; the record leaves after a time.
    """

    schema_version: Literal[1] = 1
    kind: Literal["person"] = "person"
    key: SubjectKey
    version: int = 0
    holders: tuple[SubjectKey, ...] = ()
    changed_at: Millis | None = None
    unused_since: Millis | None = None
    wants: tuple[Want, ...] = ()
