"""Pass a fact to the ``advance`` of the subject's kind."""

from connector.core import device, holder, person
from connector.core.facts import Fact
from connector.core.model import Millis, SubjectKey, SubjectKind, parse_subject
from connector.core.policy import Rules
from connector.core.states import DeviceState, HolderState, PersonState, State
from connector.core.step import Step

AnyStep = Step[HolderState] | Step[DeviceState] | Step[PersonState]


def fresh(key: SubjectKey, version: int = 0) -> State:
    """The initial state of a subject.

    Args:
        key: the subject.
        version: where its versions begin: at the commits of its partition, which no version of an
            earlier life exceeds, so that the ids of its events never come twice.

    Raises:
        ValueError: when the key names no device, holder or person.
    """
    match parse_subject(key).kind:
        case SubjectKind.DEVICE:
            return DeviceState(key=key, version=version)
        case SubjectKind.HOLDER:
            return HolderState(key=key, version=version)
        case SubjectKind.PERSON:
            return PersonState(key=key, version=version)
        case SubjectKind.PARTITION:
            msg = "a partition has no state machine"
            raise ValueError(msg)


def advance(state: State, fact: Fact, now: Millis, rules: Rules) -> AnyStep:
    """Advance a subject of any kind by one fact."""
    match state:
        case DeviceState():
            return device.advance(state, fact, now, rules)
        case HolderState():
            return holder.advance(state, fact, now, rules)
        case PersonState():
            return person.advance(state, fact, now, rules)
