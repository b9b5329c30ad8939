"""A person's list of holders."""

from connector.core.events import CertificatesChanged, HolderForgotten, HolderRegistered
from connector.core.states import PersonState
from tests.core.names import holder_key, person_key
from tests.core.pure_loop import PureLoop


def test_a_person_tells_every_holder_that_registered(loop: PureLoop) -> None:
    """Once each, until it is forgotten."""
    key = person_key("user1")
    for user in ("1", "3", "1"):
        loop.send(key, HolderRegistered(holder=holder_key(user)))
    for _ in range(3):
        loop.step()
    state = loop.states[key]
    assert isinstance(state, PersonState)
    assert state.holders == (holder_key("1"), holder_key("3"))
    loop.send(key, HolderForgotten(holder=holder_key("1")))
    loop.send(key, CertificatesChanged())
    loop.step()
    loop.step()
    assert [event.subject for event in loop.queue] == [holder_key("3")]
