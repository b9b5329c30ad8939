"""The state of a person."""

from typing import Literal

from connector.core.model import Millis, Record, SubjectKey
from connector.core.states.wants import Want


class PersonState(Record):
    """A human as the CA knows him: the holders to tell when his certificates change."""

    schema_version: Literal[1] = 1
    kind: Literal["person"] = "person"
    key: SubjectKey
    version: int = 0
    holders: tuple[SubjectKey, ...] = ()
    changed_at: Millis | None = None
    wants: tuple[Want, ...] = ()
