"""What a hand-over process does, and what the service makes of every way in which it can end."""

import asyncio
import json
import signal

import pytest

from connector.core.errors import Family
from connector.core.handover import Accepted, Changed, NotSent, Refused, Unknown
from connector.core.model import Slot
from connector.keys.handover.parent import HandOver
from tests.keys.handover.scene import Person
from tests.patience import PATIENCE, SLOWNESS

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]
LIMIT = 10.0


async def test_approved_set_is_delivered(hand_over: HandOver, person: Person) -> None:
    """Each approved generation arrives in its slot; an expired RSA-1024 one among them."""
    outcome = await hand_over.run(person.job(), LIMIT)
    assert isinstance(outcome, Accepted), outcome
    places = [(one.slot, one.fingerprint) for one in outcome.bundles]
    assert sorted(places) == sorted(
        [
            (Slot.SIGNING, person.current.fingerprint),
            (Slot.ENCRYPTION, person.current.fingerprint),
            (Slot.ARCHIVED, person.archived.fingerprint),
        ]
    )
    assert all(one.size > 1000 for one in outcome.bundles)
    assert outcome.digest == person.job().digest
    assert outcome.seconds.keys() == {"list", "obtain", "deliver"}


async def test_many_at_once_do_not_disturb_one_another(hand_over: HandOver, person: Person) -> None:
    """Hand-overs that run beside one another, failing ones too, end each with its own outcome."""
    good = [person.job() for _ in range(4)]
    bad = [person.job(target={"before": "fail=UEM-001"}) for _ in range(4)]
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(hand_over.run(job, LIMIT)) for job in good + bad]
    assert [type(one.result()) for one in running] == [Accepted] * 4 + [NotSent] * 4


async def test_changed_list_stops_it_before_any_fetch(hand_over: HandOver, person: Person) -> None:
    """When the CA lists other generations than were approved, nothing leaves escrow."""
    outcome = await hand_over.run(person.job(**person.without_archived()), LIMIT)
    assert isinstance(outcome, Changed)


async def test_request_that_is_not_granted_stops_it(hand_over: HandOver, person: Person) -> None:
    """Fetching starts only when there is a granted request for every generation."""
    outcome = await hand_over.run(person.job(requests=()), LIMIT)
    assert isinstance(outcome, NotSent)
    assert (outcome.fault.code, outcome.disclosed) == ("CA-409", 0)


async def test_key_of_another_generation_is_refused(hand_over: HandOver, person: Person) -> None:
    """Mixed-up keys are not delivered; that a key left escrow is reported."""
    folder = person.folder
    strange = (folder / f"{person.current.fingerprint}.key").read_bytes()
    (folder / f"{person.archived.fingerprint}.key").write_bytes(strange)
    (folder / f"{person.archived.fingerprint}.cer").rename(folder / "away")
    (folder / "away").rename(folder / f"{person.archived.fingerprint}.cer")
    outcome = await hand_over.run(person.job(), LIMIT)
    assert isinstance(outcome, NotSent)
    assert outcome.fault.code in {"KEY-201", "HND-009"}
    assert outcome.disclosed == 2


@pytest.mark.parametrize(
    ("answer", "code"),
    [(b"<html>", "P12-008"), (b"{}", "P12-009"), (b"", "P12-007"), (b"\x30\x82\x10", "P12-002")],
)
async def test_foreign_answer_has_its_own_code(
    hand_over: HandOver, person: Person, answer: bytes, code: str
) -> None:
    """What the CA answers instead of a bundle ends the attempt with the code of just that."""
    (person.folder / f"{person.current.fingerprint}.p12").write_bytes(answer)
    outcome = await hand_over.run(person.job(), LIMIT)
    assert isinstance(outcome, NotSent)
    assert (outcome.fault.code, outcome.disclosed) == (code, 1)


@pytest.mark.parametrize(
    ("moment", "act", "kind", "code", "disclosed"),
    [
        ("list", "fail=CA-001", NotSent, "CA-001", 0),
        ("fetch", "fail=CA-002", NotSent, "CA-002", 1),
        ("before", "refuse=UEM-404", NotSent, "UEM-404", 2),
        ("after", "refuse=UEM-400", Refused, "UEM-400", 2),
        ("after", "fail=UEM-004", Refused, "UEM-004", 2),
        ("after", "fail=UEM-002", Unknown, "UEM-002", 2),
        ("list", "mistake", NotSent, "HND-009", 0),
        ("after", "mistake", Unknown, "HND-009", 2),
        ("list", f"signal={int(signal.SIGKILL)}", NotSent, "HND-002", 0),
        ("fetch", f"signal={int(signal.SIGSEGV)}", NotSent, "HND-002", 1),
        ("fetch", f"signal={int(signal.SIGXCPU)}", NotSent, "KEY-210", 1),
        ("after", f"signal={int(signal.SIGKILL)}", Unknown, "HND-002", 2),
        ("fetch", "hoard", NotSent, "HND-009", 1),
        ("fetch", "dump", NotSent, "HND-009", 1),
    ],
)
async def test_every_end_is_told_apart(
    hand_over: HandOver,
    person: Person,
    moment: str,
    act: str,
    kind: type[NotSent | Refused | Unknown],
    code: str,
    disclosed: int,
) -> None:
    """Not sent, refused and unknown are distinguished, with how many keys had left escrow."""
    outcome = await hand_over.run(person.job(escrow={moment: act}, target={moment: act}), LIMIT)
    assert isinstance(outcome, kind), outcome
    assert (outcome.fault.code, outcome.disclosed) == (code, disclosed)
    assert isinstance(await hand_over.run(person.job(), LIMIT), Accepted)


@pytest.mark.parametrize("act", ["fail-once=UEM-002", "fail-once=UEM-004"])
async def test_what_can_be_fetched_once_is_kept_until_it_is_delivered(
    hand_over: HandOver, person: Person, act: str
) -> None:
    """A passing trouble of the upload does not lose a key that escrow gives out only once."""
    person.single_use()
    job = person.job(target={"after": act})
    assert isinstance(await hand_over.run(job, LIMIT), Accepted)


async def test_doubt_about_one_upload_is_not_lifted_by_the_refusal_of_the_next(
    hand_over: HandOver, person: Person
) -> None:
    """The first one may have arrived, with any outcome of the second."""
    person.single_use()
    job = person.job(target={"after": "refuse-later=UEM-400"})
    outcome = await hand_over.run(job, LIMIT)
    assert isinstance(outcome, Unknown)
    assert outcome.fault.code == "UEM-400"


async def test_upload_is_not_begun_again_without_time(hand_over: HandOver, person: Person) -> None:
    """It ends with what the target said, not in the middle of another try."""
    person.single_use()
    outcome = await hand_over.run(person.job(target={"after": "fail-once=UEM-004"}), 4.0)
    assert isinstance(outcome, Refused)
    assert outcome.fault.code == "UEM-004"


@pytest.mark.parametrize("moment", ["list", "fetch", "before", "after"])
async def test_stalling_ends_at_the_limit(hand_over: HandOver, person: Person, moment: str) -> None:
    """An upstream that never answers costs one attempt and no more than the time it was given."""
    job = person.job(escrow={moment: "stall"}, target={moment: "stall"})
    started = asyncio.get_running_loop().time()
    outcome = await hand_over.run(job, SLOWNESS)
    assert asyncio.get_running_loop().time() - started < SLOWNESS + PATIENCE / 10
    assert isinstance(outcome, Unknown if moment == "after" else NotSent)
    assert outcome.fault.code == "HND-001"
    assert outcome.fault.family is Family.TRANSIENT


async def test_busy_process_dies_by_the_kernels_timer(hand_over: HandOver, person: Person) -> None:
    """A process that never comes back to its event loop is ended by the kernel in time."""
    outcome = await hand_over.run(person.job(escrow={"list": "burn"}), 0.7)
    assert isinstance(outcome, NotSent)
    assert outcome.fault.code == "HND-001"


async def test_process_is_locked_down(hand_over: HandOver, person: Person) -> None:
    """No environment, no descriptors, no dump, no file, little of anything, and lowest priority."""
    outcome = await hand_over.run(person.job(escrow={"list": "tell"}), LIMIT)
    assert isinstance(outcome, NotSent)
    told = json.loads(outcome.fault.detail)
    assert told["environment"] == ["LC_ALL"]
    assert told["descriptors"][:4] == [0, 1, 2, 3]
    assert told["limits"]["CORE"] == 0
    assert told["limits"]["FSIZE"] == 0
    assert told["limits"]["NOFILE"] == 64
    assert 0 < told["limits"]["CPU"] < 60
    assert told["privileges"] == "1"
    assert told["nice"] == 10


async def test_receipt_says_whether_memory_was_locked(hand_over: HandOver, person: Person) -> None:
    """Where the node lets memory be locked it is, and the receipt says so."""
    outcome = await hand_over.run(person.job(), LIMIT)
    told = await hand_over.run(person.job(escrow={"list": "tell"}), LIMIT)
    assert isinstance(outcome, Accepted)
    assert isinstance(told, NotSent)
    assert (json.loads(told.fault.detail)["locked"] != "0 kB") == outcome.memory_locked


@pytest.mark.parametrize("act", ["refuse-later=UEM-400", "fail=UEM-004", "fail=UEM-002"])
async def test_a_hand_over_that_failed_says_how_it_was_protected(
    hand_over: HandOver, person: Person, act: str
) -> None:
    """Its keys had left escrow as well."""
    outcome = await hand_over.run(person.job(target={"after": act}), LIMIT)
    assert isinstance(outcome, Refused | Unknown)
    assert outcome.disclosed
    assert (outcome.memory_locked, outcome.sandbox) == hand_over.protection
