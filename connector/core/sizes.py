"""Size limits of journal records: the same in both journals, so that one can be copied over.

Kafka takes records up to a limit, and what is larger would stop its partition at every try. So a
journal refuses a record before it is written, and names its subject, which is then left out.
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import Literal, NamedTuple

from connector.core import audit
from connector.core.errors import Permanent
from connector.core.journal import DeadLetter
from connector.core.model import Millis, SubjectKey

TOO_LARGE = "JRN-015"
MEBI = 1024 * 1024
Part = Literal["state", "audit record", "event", "dead letter"]
LARGEST: dict[Part, int] = {
    "state": 3 * MEBI,
    "audit record": audit.LARGEST,
    "event": MEBI,
    "dead letter": 3 * MEBI,
}
"""Bytes of JSON. A record of Kafka has room for a mebibyte of headers beside it."""
_KEPT = 64 * 1024
"""Bytes that a dead letter keeps of a record that is too large for one."""


class Place(NamedTuple):
    """Identifies a record in a commit: part, subject, and index in that part."""

    part: Part
    key: SubjectKey
    number: int


class TooLarge(Permanent):
    """A record of a commit is larger than the journal takes; nothing of it was written."""

    def __init__(self, place: Place, size: int) -> None:
        """``place``: which record; ``size``: its bytes."""
        self.place = place
        super().__init__(TOO_LARGE, f"committing: the {place.part} has {size} bytes")


def require_fitting(place: Place, record: bytes) -> None:
    """Check that a record is not too large; raises :class:`TooLarge`."""
    if len(record) > LARGEST[place.part]:
        raise TooLarge(place, len(record))


def dead_letter(
    where: tuple[int, int],
    code: str,
    body: bytes,
    at: Millis,
    headers: Sequence[tuple[str, bytes]] = (),
) -> DeadLetter:
    """Make a dead letter of a record; of one that is too large, keep only the beginning.

    Args:
        where: partition and position.
        code: why it is one.
        body: the record's bytes.
        at: when it came.
        headers: what the record had beside its bytes.
    """
    size = len(body) + sum(len(name) + len(value) for name, value in headers)
    if size > LARGEST["dead letter"] // 2:
        headers = (
            ("cut-code", code.encode()),
            ("cut-bytes", b"%d" % len(body)),
            ("cut-sha256", hashlib.sha256(body).hexdigest().encode()),
        )
        code, body = TOO_LARGE, body[:_KEPT]
    return DeadLetter(
        partition=where[0],
        position=where[1],
        code=code,
        original=base64.b64encode(body).decode(),
        at=at,
        headers=tuple((name, base64.b64encode(value).decode()) for name, value in headers),
    )


def shortened(letter: DeadLetter) -> DeadLetter:
    """A letter without the record's bytes, for a journal with a lower limit than expected."""
    body = base64.b64decode(letter.original)
    digest = hashlib.sha256(body).hexdigest()
    marks = {"cut-code": letter.code, "cut-bytes": str(len(body)), "cut-sha256": digest}
    headers = [(name, base64.b64encode(text.encode()).decode()) for name, text in marks.items()]
    kept = [one for one in letter.headers if one[0] in marks]
    changes = {"code": TOO_LARGE, "original": "", "headers": tuple(kept or headers)}
    return letter.model_copy(update=changes)
