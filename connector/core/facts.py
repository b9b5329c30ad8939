"""Facts: the outcomes of effects, and other inputs of ``advance``.

A fact of a look counts only for the version it was started at, a fact of an act only for the
attempt it belongs to; a stale one changes nothing.
"""

from dataclasses import dataclass

from connector.core.errors import Fault
from connector.core.events import Event
from connector.core.handover import HandoverOutcome
from connector.core.model import (
    DeviceFacts,
    Generation,
    HolderFacts,
    OpenRequest,
    PersonRecord,
    SubjectKey,
)
from connector.core.ports import Evidence, GoneLook
from connector.core.states import Effect


@dataclass(frozen=True, slots=True)
class Listing:
    """What a look at the CA showed: the person, their generations, their open requests."""

    person: PersonRecord
    generations: tuple[Generation, ...]
    open: tuple[OpenRequest, ...] = ()


LookResult = (
    HolderFacts | DeviceFacts | Listing | tuple[OpenRequest, ...] | Evidence | GoneLook | None
)
ActResult = tuple[OpenRequest | SubjectKey, ...] | HandoverOutcome | None
"""Of an act with several parts those that were done, also beside a fault: the requests that were
begun (as they stand now) or cleaned up, the devices that were pushed to."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A look ended: with a result (None: the upstream does not know it) or with a fault."""

    effect: Effect
    basis: int
    result: LookResult = None
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Permitted:
    """The permits for an act are taken; the state becomes ``running`` before the act starts."""

    effect: Effect


@dataclass(frozen=True, slots=True)
class Denied:
    """An act that the state asks for can never be permitted; the fault says why."""

    effect: Effect
    fault: Fault


@dataclass(frozen=True, slots=True)
class Acted:
    """An act ended: with a result or with a fault."""

    effect: Effect
    attempt: int
    result: ActResult = None
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class ActFound:
    """A new owner found an open act; it waits the act's limit and a margin on its own clock."""


@dataclass(frozen=True, slots=True)
class Elapsed:
    """The due time of a want that only waits has passed."""


Fact = Event | Looked | Permitted | Denied | Acted | ActFound | Elapsed
