"""An act that was started, with all that it needs."""

from pydantic import Field

from connector.core.boot_time import Awaited
from connector.core.model import Millis, OpenRequest, Record, SetEntry, Sha256Hex, SubjectKey
from connector.core.selection import SelectionRules
from connector.core.states.uem_copy import Copy
from connector.core.states.wants import Effect


class Running(Record):
    """An act that was started and whose outcome is not known yet.

    ``epoch`` is the owner's epoch at the start, or of the later owner that found it. ``awaited``:
    how long it may still have its effect; ``not_before`` is when to check that, in journal time.
    ``before`` is the copy as it was, for when it is proven that nothing was sent.

    The other members are what is done, and for whom: ``requests`` are begun, ended or (in a
    hand-over) fetched, ``profiles`` has what is pushed to each of the ``devices``, ``reason`` is
    the delivery's trigger. Records of earlier versions lack those from ``route`` on. That is no
    loss: only the owner that began an act does it, and a later one waits and begins another.
    """

    effect: Effect
    attempt: int
    started_at: Millis
    limit: Millis
    epoch: int
    delivery: str | None = None
    digest: Sha256Hex | None = None
    devices: tuple[SubjectKey, ...] = ()
    requests: tuple[OpenRequest, ...] = ()
    before: Copy | None = None
    not_before: Millis | None = None
    awaited: Awaited | None = None
    route: str = ""
    person: str = ""
    reason: str = ""
    profiles: dict[SubjectKey, str] = Field(default_factory=dict)
    entries: tuple[SetEntry, ...] = ()
    address: str = ""
    rules: SelectionRules | None = None
