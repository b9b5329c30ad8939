"""A person takes an encryption generation out of a holder's history, by name."""

from connector.core.events import GenerationDropped
from connector.core.states import Phase
from tests.core.pure_loop import PureLoop
from tests.core.scenes import HOLDER, delivery, enrol, redeliver, until_phase


def test_the_current_generation_can_be_dropped(loop: PureLoop) -> None:
    """It used to be accepted and to change nothing; the newest of the others takes its place."""
    loop.ca.issue("user1")
    enrol(loop)
    until_phase(loop, Phase.COMPLETED)
    newest, older = (entry.fingerprint for entry in delivery(loop).entries[1:])
    loop.send(HOLDER, GenerationDropped(by="local:0", reason="r", fingerprint=newest))
    redeliver(loop)
    loop.run_out()
    assert delivery(loop).phase is Phase.COMPLETED
    assert [entry.fingerprint for entry in delivery(loop).entries[1:]] == [older]
