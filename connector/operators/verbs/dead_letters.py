"""Verbs about dead letters."""

import base64
import hashlib
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from connector.core.errors import Rejected
from connector.core.events import Event
from connector.core.journal import DeadLetter
from connector.core.model import Millis, Record, Sha256Hex, SubjectKey
from connector.operators.verbs.verb import ErrorCode, Instant, Method, Number, Reason, Verb, Words

PlaceName = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9]{1,6}/-?[0-9]{1,18}$")
]
"""Where a letter is, as people write it: ``PARTITION/POSITION``."""
AT_ONCE = 200


def place_name(partition: int, position: int) -> PlaceName:
    """A place as text: ``partition/position``."""
    return f"{partition}/{position}"


def place_of(name: PlaceName) -> tuple[int, int]:
    """Partition and position.

    Raises:
        Rejected: ``EVT-007`` when it is no place.
    """
    partition, slash, position = name.partition("/")
    try:
        return int(partition), int(position if slash else "")
    except ValueError:
        raise Rejected("EVT-007", "a dead letter is named PARTITION/POSITION") from None


class PlaceQuery(Record):
    """Which letter is meant."""

    place: PlaceName


class LetterQuery(Record):
    """Which dead letters are wanted; ``after`` continues a listing."""

    code: ErrorCode | None = None
    partition: Number | None = None
    since: Instant | None = None
    until: Instant | None = None
    after: PlaceName | None = None
    limit: int = Field(default=AT_ONCE, ge=1, le=AT_ONCE)


class LetterView(Record):
    """One line of a listing. ``reads_as``: the kind of event that it can now be parsed as.

    ``size`` is that of the record's body in bytes, ``digest`` its SHA-256.
    """

    place: PlaceName
    code: str
    at: Millis
    size: int
    digest: Sha256Hex
    reads_as: str = ""
    subject: SubjectKey | None = None


class LetterPage(Record):
    """A page of a listing; ``after`` continues it, None at the end. ``now``: the service's time."""

    items: tuple[LetterView, ...]
    after: PlaceName | None = None
    now: Millis


class LetterDetail(Record):
    """One letter in full, and the event that it can now be parsed as."""

    view: LetterView
    letter: DeadLetter
    event: Event | None = None
    now: Millis


class SettleLetters(Record):
    """Some letters that are re-queued or dropped; with ``dry_run`` only report the outcome."""

    act: Literal["replay", "drop"]
    places: tuple[PlaceName, ...] = Field(min_length=1, max_length=AT_ONCE)
    reason: Words = ""
    dry_run: bool = False


class ReplayLetters(SettleLetters):
    """Re-queue letters that can now be parsed."""

    act: Literal["replay"] = "replay"


class DropLetters(SettleLetters):
    """Drop letters."""

    act: Literal["drop"] = "drop"
    reason: Reason


class LetterOutcome(Record):
    """The outcome, or expected outcome, for one letter.

    ``replayed``: ``event`` again (``known``: its id had come before, nothing more follows);
    ``dropped``: removed; ``dead``: it still cannot be read, ``code`` says why; ``missing``: it is
    not among the dead letters, perhaps settled by another operator.
    """

    place: PlaceName
    result: Literal["replayed", "dropped", "dead", "missing"]
    code: str = ""
    reads_as: str = ""
    subject: SubjectKey | None = None
    event: str = ""
    known: bool = False


class LetterReceipt(Record):
    """The outcome for each letter, in the given order."""

    act: Literal["replay", "drop"]
    dry_run: bool
    outcomes: tuple[LetterOutcome, ...]


def original_of(letter: DeadLetter) -> bytes:
    """The body of the record, byte for byte."""
    return base64.b64decode(letter.original)


def digest_of(letter: DeadLetter) -> Sha256Hex:
    """SHA-256 of the record's body, which identifies the letter after it was removed."""
    return hashlib.sha256(original_of(letter)).hexdigest()


SETTLE = "/v1/dead-letters/settle"
LETTERS = Verb("dead_letters", Method.GET, "/v1/dead-letters", LetterQuery, LetterPage)
LETTER = Verb("dead_letter", Method.GET, "/v1/dead-letter", PlaceQuery, LetterDetail)
REPLAY = Verb("replay", Method.POST, SETTLE, ReplayLetters, LetterReceipt, acts=True)
DROP = Verb("drop", Method.POST, SETTLE, DropLetters, LetterReceipt, acts=True)
