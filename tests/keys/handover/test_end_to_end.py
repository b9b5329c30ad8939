"""Between the simulated CA and the simulated UEM, over TLS, with real PKCS#12 files."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import TypeAdapter

from connector.core.handover import Accepted, Changed, HandoverOutcome, NotSent, Unknown
from connector.keys.handover.parent import HandOver
from connector.keys.handover.server import COMMAND
from connector_testkit.simulators.ca.commands import Issue, Lie, LieOrder, Operation
from tests.keys.handover.test_deaths import SERVICE
from tests.keys.handover.upstreams import PERSON, Upstreams, upstreams

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Upstreams]:
    async with upstreams(tmp_path_factory.mktemp("world")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def real() -> AsyncIterator[HandOver]:
    running = HandOver(accept_unlocked_memory=True)
    await running.start()
    yield running
    await running.stop()


async def test_whole_archive_arrives(world: Upstreams, real: HandOver) -> None:
    """Signing pair, current pair, an expired one and an RSA-1024 one are in the UEM's copy."""
    job = await world.job()
    outcome = await real.run(job, 20)
    assert isinstance(outcome, Accepted), outcome
    assert outcome.server_time is not None
    assert len(outcome.bundles) == 4
    copy = await world.uem.copy(world.holder)
    assert copy["present"]
    stored = str(copy)
    assert all(entry.fingerprint in stored.lower() for entry in job.entries)


async def test_a_process_keeps_to_its_part_of_the_rate_and_says_what_it_sends(
    world: Upstreams,
) -> None:
    """A list and four fetches at two a second last two seconds; the service hears of each."""
    heard: list[str] = []
    limited = HandOver(accept_unlocked_memory=True, requested=heard.append)
    job = await world.job(ca_rate=2.0, uem_rate=1.0)
    keys = len({entry.fingerprint for entry in job.entries})
    try:
        outcome = await limited.run(job, 20)
    finally:
        await limited.stop()
    assert isinstance(outcome, Accepted), outcome
    assert heard == [f"ca:{job.escrow.name}"] * (1 + keys) + [f"uem:{job.target.name}"]
    # A little less: the time between the two steps is in neither.
    assert outcome.seconds["list"] + outcome.seconds["obtain"] >= keys / 2 * 0.9


@pytest.mark.parametrize("profile", ["modern", "compat"])
async def test_both_profiles_are_opened_by_the_uem(
    world: Upstreams, real: HandOver, profile: str
) -> None:
    """The UEM opens the bundles of either profile with their passwords."""
    outcome = await real.run(await world.job(pkcs12_profile=profile), 20)
    assert isinstance(outcome, Accepted)


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        (Lie.OTHER_PERSONS_KEY, "KEY-206"),
        (Lie.MISFIT_KEY, "KEY-201"),
        (Lie.OTHER_GENERATION, "KEY-202"),
        (Lie.TRUNCATED, "P12-002"),
        (Lie.HOSTILE_MODULUS, "KEY-204"),
        (Lie.HOSTILE_EXPONENT, "KEY-204"),
        (Lie.REDIRECT, "CA-006"),
        (Lie.HTML, "CA-004"),
        (Lie.HUGE, "CA-005"),
    ],
)
async def test_liar_is_found_out(world: Upstreams, real: HandOver, lie: Lie, code: str) -> None:
    """Each lie of the CA has its own code, nothing is sent, and the next holder is served."""
    job = await world.job()
    await world.ca.lie(LieOrder(lie=lie, operation=Operation.FETCH))
    try:
        outcome = await real.run(job, 20)
    finally:
        await world.ca.be_honest()
    assert isinstance(outcome, NotSent), outcome
    assert outcome.fault.code == code
    assert isinstance(await real.run(await world.job(), 20), Accepted)


async def test_dribbling_ca_is_given_up(world: Upstreams, real: HandOver) -> None:
    """A CA that sends a byte now and then costs the attempt its limit, not more."""
    job = await world.job()
    await world.ca.lie(LieOrder(lie=Lie.DRIBBLE, operation=Operation.FETCH))
    try:
        outcome = await real.run(job, 1.5)
    finally:
        await world.ca.be_honest()
    assert isinstance(outcome, NotSent)
    assert outcome.fault.code == "HND-001"


async def test_new_generation_makes_it_changed(world: Upstreams, real: HandOver) -> None:
    """A renewal between approval and hand-over is noticed before any key is fetched."""
    job = await world.job()
    await world.ca.issue(Issue(person=PERSON))
    fetched = [one for one in await world.ca.ledger() if one.operation is Operation.FETCH]
    assert isinstance(await real.run(job, 20), Changed)
    after = [one for one in await world.ca.ledger() if one.operation is Operation.FETCH]
    assert len(after) == len(fetched)


FAULTS: dict[str, dict[str, Any]] = {
    "503": {"kind": "error", "status": 503, "retry_after": "2"},
    "500": {"kind": "error", "status": 500},
    "429": {"kind": "throttled"},
    "401": {"kind": "unauthorized"},
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_after_an_answered_fault_the_same_set_is_sent_again(
    world: Upstreams, real: HandOver, fault: str
) -> None:
    """By the same process, which fetches each key once; nothing was on its way any more."""
    job = await world.job()
    before = await fetches(world)
    number = await world.uem.fault(path="uploadsmimecerts", **FAULTS[fault])
    try:
        outcome = await real.run(job, 20)
    finally:
        await world.uem.clear_faults(number)
    assert isinstance(outcome, Accepted), outcome
    assert await fetches(world) == before + len({entry.fingerprint for entry in job.entries})


@pytest.mark.parametrize("status", [502, 504])
async def test_a_gateway_that_gave_up_is_no_answer(
    world: Upstreams, real: HandOver, status: int
) -> None:
    """The set may still be on its way, so another must not be sent yet."""
    job = await world.job()
    number = await world.uem.fault("error", path="uploadsmimecerts", status=status)
    try:
        outcome = await real.run(job, 20)
    finally:
        await world.uem.clear_faults(number)
    assert isinstance(outcome, Unknown), outcome
    assert (outcome.fault.code, outcome.answered) == ("UEM-002", False)


async def test_a_fault_that_stays_ends_with_what_was_answered(
    world: Upstreams, real: HandOver
) -> None:
    """In time, and the state knows that nothing is on its way."""
    job = await world.job()
    number = await world.uem.fault("error", path="uploadsmimecerts", status=503, count=None)
    try:
        outcome = await real.run(job, 8)
    finally:
        await world.uem.clear_faults(number)
    assert isinstance(outcome, Unknown), outcome
    assert (outcome.fault.code, outcome.answered) == ("UEM-010", True)


async def fetches(world: Upstreams) -> int:
    return sum(one.operation is Operation.FETCH for one in await world.ca.ledger())


async def test_unanswered_upload_is_unknown(world: Upstreams, real: HandOver) -> None:
    """The UEM takes the set and never answers: the fate is unknown, and the set is there."""
    job = await world.job()
    await world.uem.purge()
    fault = await world.uem.fault("apply_silent", path="uploadsmimecerts")
    try:
        outcome = await real.run(job, 5)
    finally:
        await world.uem.clear_faults(fault)
    assert isinstance(outcome, Unknown), outcome
    assert outcome.fault.code in {"UEM-002", "HND-001"}
    assert (await world.uem.copy(world.holder))["present"]


async def test_no_secret_is_in_the_services_memory(world: Upstreams) -> None:
    """After real hand-overs no piece of a key or password is in service or forkserver."""
    job = await world.job()
    service = await asyncio.create_subprocess_exec(
        sys.executable,
        str(SERVICE),
        *COMMAND,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert service.stdin is not None
    assert service.stdout is not None
    service.stdin.write(job.model_dump_json().encode() + b"\n")
    line = await service.stdout.readline()
    outcome: HandoverOutcome = TypeAdapter(HandoverOutcome).validate_json(line)
    assert isinstance(outcome, Accepted)
    secrets = await world.secrets()
    assert len(secrets) > 20
    for pid in (service.pid, forkserver_of(service.pid)):
        memory = b"".join(memory_of(pid))
        assert job.digest.encode() in memory or pid != service.pid
        assert not [piece for piece in secrets if piece in memory]
        assert not [piece for piece in secrets if piece in proc_files(pid)]
    service.stdin.write(b"\n")
    await service.wait()


def forkserver_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())


def proc_files(pid: int) -> bytes:
    return b"".join(Path(f"/proc/{pid}/{name}").read_bytes() for name in ("environ", "cmdline"))


def memory_of(pid: int) -> Iterator[bytes]:
    """The readable and writable memory of a process."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights = line.split()[:2]
            start, end = (int(one, 16) for one in span.split("-"))
            if rights.startswith("rw"):
                memory.seek(start)
                yield memory.read(end - start)


async def test_key_material_cannot_be_made_here() -> None:
    """In any process but a hand-over's, making key material is a fault of its own."""
    code = "from connector.core.key_material import KeyMaterial; KeyMaterial(b'x')"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    assert b"KEY-900" in said
