"""A hand-over process that was taken over: nothing that it does harms the service."""

import asyncio
import resource

import pytest

from connector.core.handover import Accepted, NotSent, Unknown
from connector.core.model import SetEntry
from connector.keys.handover.parent import HandOver
from tests.keys.handover.scene import Person
from tests.patience import PATIENCE

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]
LIMIT = 10.0
KILOBYTES = 1024


def accepted(digest: str, entries: tuple[SetEntry, ...]) -> str:
    """A receipt for something, as the process would write it."""
    bundles = [{"slot": one.slot, "fingerprint": one.fingerprint, "size": 9} for one in entries]
    receipt = Accepted.model_validate(
        {"digest": digest, "bundles": bundles, "server_time": None, "memory_locked": True}
    )
    return receipt.model_dump_json()


@pytest.mark.parametrize(
    "act",
    [
        "say-and-stall=\x00\x01 no text at all",
        "say-and-stall=[]",
        'say-and-stall={"outcome": "delivered"}',
        'say-and-stall={"outcome": "changed", "person": 7}',
        "flood",
        "pickle",
    ],
)
async def test_nonsense_is_believed_nothing(hand_over: HandOver, person: Person, act: str) -> None:
    """Garbage, a pickle or a gigabyte ends the process; a copy may be there, all keys are out."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcome = await hand_over.run(person.job(escrow={"list": act}), 3.0)
    assert isinstance(outcome, Unknown)
    assert (outcome.fault.code, outcome.disclosed) == ("HND-003", 3)
    assert not (person.folder / "unpickled").exists()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 * KILOBYTES
    assert isinstance(await hand_over.run(person.job(), LIMIT), Accepted)


async def test_receipt_without_an_upload_is_no_receipt(hand_over: HandOver, person: Person) -> None:
    """A receipt counts only after the upload was announced, and for exactly the set of the job."""
    job = person.job()
    honest = accepted(job.digest, job.entries)
    for text in (honest, accepted("0" * 64, job.entries), accepted(job.digest, job.entries[:1])):
        early = person.job(escrow={"list": f"say={text}"})
        outcome = await hand_over.run(early, LIMIT)
        assert isinstance(outcome, Unknown)
        assert outcome.fault.code == "HND-003"


async def test_harmless_outcome_after_the_upload_began_is_not_believed(
    hand_over: HandOver, person: Person
) -> None:
    """Once the upload was announced, no answer can make it *not sent* again."""
    fault = '{"code":"CA-001","family":"transient"}'
    text = f'{{"outcome":"not_sent","fault":{fault},"disclosed":2}}'
    for said in (text, '{"outcome":"changed"}'):
        outcome = await hand_over.run(person.job(target={"after": f"say={said}"}), LIMIT)
        assert isinstance(outcome, Unknown)
        assert outcome.fault.code == "HND-003"


async def test_process_that_ignores_its_limits_is_killed(
    hand_over: HandOver, person: Person
) -> None:
    """Timer switched off and signals blocked: the service ends the process at its limit."""
    started = asyncio.get_running_loop().time()
    outcome = await hand_over.run(person.job(escrow={"list": "deaf"}), 0.7)
    assert asyncio.get_running_loop().time() - started < 0.7 + PATIENCE / 10
    assert isinstance(outcome, NotSent)
    assert outcome.fault.code == "HND-001"
