"""Facts: the outcomes of effects, and other inputs of ``advance``.

Each effect has a fact class of its own. A fact of a look counts only for the version it was started
at, a fact of an act only for the attempt it belongs to; a stale one changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from connector.core.errors import Fault
from connector.core.events import Event
from connector.core.handover import HandoverOutcome, Unknown
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

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listing:
    """What a look at the CA showed: the person, their generations, their open requests."""

    person: PersonRecord
    generations: tuple[Generation, ...]
    open: tuple[OpenRequest, ...] = ()


@dataclass(frozen=True, slots=True)
class Looked(Generic[T]):
    """A look ended, with an answer or a fault; its subclasses are the facts of the looks."""

    effect: ClassVar[Effect]
    basis: int
    answer: T | Fault

    @property
    def fault(self) -> Fault | None:
        """Why there is no answer."""
        return self.answer if isinstance(self.answer, Fault) else None


class DeviceLookedUp(Looked[DeviceFacts | None]):
    """The device and its user; None when the UEM does not know it."""

    effect = Effect.LOOK_UP_DEVICE


class UserLookedUp(Looked[HolderFacts | None]):
    """The user with all their devices; None when the UEM does not know the user."""

    effect = Effect.LOOK_UP


class Listed(Looked[Listing]):
    """What the CA escrows for the person."""

    effect = Effect.LIST


class RequestsLookedAt(Looked[tuple[OpenRequest, ...]]):
    """The holder's requests as they stand at the CA."""

    effect = Effect.LOOK_REQUESTS


class InstallLookedAt(Looked[Evidence]):
    """What the UEM knows of our profile and certificate on each device."""

    effect = Effect.LOOK_INSTALLED


class CopyLookedAt(Looked[GoneLook]):
    """What the UEM says of the copy, and its clock."""

    effect = Effect.LOOK_GONE


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
class HandedOver:
    """A hand-over ended."""

    effect: ClassVar[Effect] = Effect.HAND_OVER
    attempt: int
    outcome: HandoverOutcome

    @property
    def fault(self) -> Fault | None:
        """Why the target has not taken the set."""
        return getattr(self.outcome, "fault", None)


@dataclass(frozen=True, slots=True)
class Parts(Generic[T]):
    """An act of several parts ended; ``done`` are those that were done, also beside a fault."""

    effect: ClassVar[Effect]
    attempt: int
    done: tuple[T, ...] = ()
    fault: Fault | None = None


class Begun(Parts[OpenRequest]):
    """The requests that the CA took, as they stand now."""

    effect = Effect.BEGIN


class Pushed(Parts[SubjectKey]):
    """The devices that the profile was pushed to."""

    effect = Effect.PUSH


class CleanedUp(Parts[OpenRequest]):
    """The requests that the CA ended."""

    effect = Effect.CLEAN_UP


Acted = HandedOver | Parts[Any]


@dataclass(frozen=True, slots=True)
class ActFound:
    """A new owner found an open act; it waits the act's limit and a margin on its own clock."""


@dataclass(frozen=True, slots=True)
class Elapsed:
    """The due time of a want that only waits has passed."""


@dataclass(frozen=True, slots=True)
class TimeSteppedBack:
    """Journal time went back: the state may have times that were written by a wrong clock."""


Fact = Event | Looked[Any] | Permitted | Denied | Acted | ActFound | Elapsed | TimeSteppedBack
"""Pass a fact to the ``advance`` of the subject's kind."""

LOOKED: Mapping[Effect, type[Looked[Any]]] = {one.effect: one for one in Looked.__subclasses__()}
"""The fact of each look."""

PARTS: Mapping[Effect, type[Parts[Any]]] = {one.effect: one for one in Parts.__subclasses__()}
"""The fact of each act but the hand-over."""


def failed(effect: Effect, attempt: int, fault: Fault) -> Acted:
    """The fact of an act of which only the fault is known: parts of it may have been done."""
    if effect is Effect.HAND_OVER:
        return HandedOver(attempt, Unknown(fault=fault))
    return PARTS[effect](attempt, fault=fault)
