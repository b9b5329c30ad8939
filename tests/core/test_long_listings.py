"""A CA may list more of a person than a state has room for."""

from connector.core.events import RetryRequested
from connector.core.model import Generation
from connector.core.sizes import LARGEST
from connector.core.states import Phase
from tests.core.pure_loop import PureLoop
from tests.core.scenes import HOLDER, delivery, enrol, holder

MOST = 500
"""Certificates that a CA may list of a person."""


def long(loop: PureLoop, subject: str) -> None:
    """Let the CA list as many certificates as it may, with this name."""
    mine = loop.ca.listed["user1"]
    more: list[Generation] = [
        mine[0].model_copy(
            update={
                "fingerprint": f"{number:064x}",
                "public_key": f"{number:064x}",
                "not_before": mine[0].not_before - number,
                "subject": subject,
            }
        )
        for number in range(1, MOST - 1)
    ]
    mine[:0] = more


def test_a_listing_that_is_too_large_is_refused_with_a_code(loop: PureLoop) -> None:
    """Nothing of it is kept, so that the state stays small; corrected at the CA, it goes on."""
    mine = loop.ca.listed["user1"]
    few = list(mine)
    long(loop, "CN=" + "\\+" * 2000)
    enrol(loop)
    loop.run_out()
    assert delivery(loop).phase is Phase.FAILED
    assert holder(loop).cause == "CA-009"
    assert holder(loop).generations == ()
    mine[:] = few
    loop.send(HOLDER, RetryRequested(by="local:0"))
    loop.run_out()
    assert delivery(loop).phase is Phase.COMPLETED


def test_as_many_certificates_as_may_be_with_usual_names_fit(loop: PureLoop) -> None:
    """Well within the largest state, delivered."""
    long(loop, "CN=" + "x" * 250)
    enrol(loop)
    loop.run_out()
    assert delivery(loop).phase is Phase.COMPLETED
    assert len(holder(loop).generations) == MOST
    assert len(holder(loop).model_dump_json().encode()) < LARGEST["state"] // 2
