"""Sets with certificates of every shape, through a real process between the simulators."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from connector.core.handover import Accepted, Changed, NotSent
from connector.core.model import Usage
from connector.keys.handover.parent import HandOver
from connector_testkit.simulators.ca.commands import Issue, Lie, LieOrder, Operation
from connector_testkit.simulators.ca.shapes import Shape
from tests.keys.handover.upstreams import PERSON, Upstreams, upstreams

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]
SENT = sorted(
    set(Shape)
    - {Shape.GARBAGE, Shape.UNREADABLE_DATES, Shape.UNREADABLE_NAMES, Shape.UNREADABLE_USAGE}
    - {Shape.OAEP_KEY, Shape.WRONG_SIGNATURE}
)
LIMIT = 60


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Upstreams]:
    """The UEM takes uploads as they are: its own reader would refuse some of the certificates."""
    history = [Issue(person=PERSON, issued_days_ago=2000, shape=shape) for shape in SENT]
    history += [Issue(person=PERSON), Issue(person=PERSON, usage=Usage.SIGNING)]
    folder = tmp_path_factory.mktemp("old")
    async with upstreams(folder, *history, check_uploads="none", key_pool=8) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def real() -> AsyncIterator[HandOver]:
    running = HandOver(accept_unlocked_memory=True)
    await running.start()
    yield running
    await running.stop()


async def fetched(world: Upstreams) -> int:
    return sum(entry.operation is Operation.FETCH for entry in await world.ca.ledger())


@pytest.mark.parametrize("profile", ["modern", "compat"])
async def test_a_history_of_odd_certificates_arrives_whole(
    world: Upstreams, real: HandOver, profile: str
) -> None:
    """Each of them with its key, in one upload."""
    job = await world.job(issuers_file=None, limit=LIMIT, pkcs12_profile=profile)
    outcome = await real.run(job, LIMIT)
    assert isinstance(outcome, Accepted), outcome
    assert len(outcome.bundles) == len(SENT) + 2


async def test_a_fault_of_a_key_names_its_generation(world: Upstreams, real: HandOver) -> None:
    """So that a person can drop it by this name."""
    job = await world.job(issuers_file=None, limit=LIMIT)
    wrong = job.entries[0].fingerprint
    await world.ca.lie(LieOrder(lie=Lie.MISFIT_KEY, fingerprint=wrong))
    outcome = await real.run(job, LIMIT)
    await world.ca.be_honest()
    assert isinstance(outcome, NotSent)
    assert outcome.fault.code == "KEY-201"
    assert f"generation {wrong[:16]}: " in outcome.fault.detail


async def test_a_chain_that_turned_out_wrong_stops_before_the_fetch(
    world: Upstreams, real: HandOver
) -> None:
    """The process judges the list of its own moment; nothing is fetched to find out."""
    await world.ca.issue(Issue(person=PERSON, issued_days_ago=2000, shape=Shape.WRONG_SIGNATURE))
    before = await fetched(world)
    outcome = await real.run(await world.job(issuers_file=None, limit=LIMIT), LIMIT)
    assert isinstance(outcome, Changed)
    assert await fetched(world) == before
