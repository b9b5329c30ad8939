"""Messages between the service, the forkserver and a hand-over process: lines of JSON.

Nothing is ever unpickled. The child gets one line, the :class:`Envelope`. It sends marks, one
line each, and one line with the outcome, all together at most :data:`ANSWER_LIMIT` bytes.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from connector.core.handover import HandoverJob, HandoverOutcome
from connector.core.model import Record
from connector.core.reach import SandboxMode, SandboxPart

ENVELOPE_LIMIT = 1024 * 1024
"""Bytes of a job: a holder with a thousand generations needs a third of it."""

ANSWER_LIMIT = 64 * 1024
"""Bytes that a child may write in all."""


class Envelope(Record):
    """A job, the moment at which the kernel ends its process, and what the settings accept of it.

    ``deadline`` is in seconds on the clock of the machine's boot, which all its processes share.
    """

    job: HandoverJob
    deadline: float
    accept_unlocked_memory: bool = False
    sandbox: SandboxMode = SandboxMode.WHEN_AVAILABLE


class Mark(StrEnum):
    """How far a child got, sent *before* the step, so that an early end can be interpreted."""

    FETCHING = "fetching"
    """One more key leaves escrow."""

    SENDING = "sending"
    """The first byte of the upload may leave."""

    WAITING = "waiting"
    """The upload was answered and failed; it is sent again after a while, or not at all."""


class Order(Record):
    """From the service to the forkserver, one per datagram; ``fork`` carries a descriptor."""

    act: Literal["fork", "kill"]
    number: int


class Ready(Record):
    """First datagram of the forkserver.

    ``memory_locks``: whether ``mlockall`` works here. ``sandbox``: what this kernel has of it.
    """

    told: Literal["ready"] = "ready"
    memory_locks: bool
    sandbox: tuple[SandboxPart, ...] = ()


class Ended(Record):
    """A process is gone and reaped. ``status`` as of ``waitpid``; None when it never started."""

    told: Literal["ended"] = "ended"
    number: int
    status: int | None


Report = Ready | Ended

_REPORT: TypeAdapter[Report] = TypeAdapter(Annotated[Report, Field(discriminator="told")])
_OUTCOME: TypeAdapter[HandoverOutcome] = TypeAdapter(
    Annotated[HandoverOutcome, Field(discriminator="outcome")]
)


def encode(record: Record) -> bytes:
    """One record as one line."""
    return record.model_dump_json().encode() + b"\n"


def encode_mark(mark: Mark) -> bytes:
    """One mark as one line."""
    return mark.value.encode() + b"\n"


def decode_report(datagram: bytes) -> Report:
    """Parse a report of the forkserver.

    Raises:
        ValueError: when it is no report; the text does not show it.
    """
    try:
        return _REPORT.validate_json(datagram, strict=True)
    except ValidationError:
        raise ValueError("reading a report of the forkserver") from None


def decode_outcome(line: bytes) -> HandoverOutcome:
    """Parse the outcome that a child wrote.

    Raises:
        ValueError: when it is none; the text does not show it.
    """
    try:
        return _OUTCOME.validate_json(line)
    except ValidationError:
        raise ValueError("reading the answer of a hand-over process") from None
