"""What the small picture answers to a look."""

from typing import Any

from connector.core.facts import LOOKED, Listing, Looked
from connector.core.model import parse_subject
from connector.core.ports import Evidence, GoneLook
from connector.core.states import DeviceState, Effect, HolderState, State
from tests.core.upstreams import Ca, Uem


def look(uem: Uem, ca: Ca, state: State, effect: Effect) -> Looked[Any]:
    """What a look at one of them shows."""
    return LOOKED[effect](state.version, _answer(uem, ca, state, effect))


def _answer(uem: Uem, ca: Ca, state: State, effect: Effect) -> object:
    identifier = parse_subject(state.key).id
    if isinstance(state, DeviceState):
        return uem.device(identifier)
    assert isinstance(state, HolderState)
    match effect:
        case Effect.LOOK_UP:
            return uem.user(identifier)
        case Effect.LIST:
            person = state.observed.person if state.observed else ""
            listed = tuple(ca.listed[person])
            return Listing(ca.person(person), listed, ca.open(person))
        case Effect.LOOK_REQUESTS:
            return tuple(ca.look(request) for request in state.requests)
        case Effect.LOOK_INSTALLED:
            devices = state.delivery.devices if state.delivery else {}
            current = state.delivery.current if state.delivery else None
            wanted = current.fingerprint if current else ""
            seen = tuple(uem.evidence(parse_subject(one).id, identifier, wanted) for one in devices)
            return Evidence(devices=seen, server_time=uem.now)
        case _:
            return GoneLook(server_time=uem.now)
