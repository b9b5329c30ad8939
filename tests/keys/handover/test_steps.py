"""The steps of a hand-over, run in the test's own process against scripted plug-ins."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Self

import pytest

from connector.core.errors import ConnectorError, Permanent, Scope, Transient
from connector.core.handover import Accepted, Changed, HandoverOutcome, NotSent, Refused, Unknown
from connector.core.key_material import allow_key_material
from connector.core.ports import Bundle, Delivered
from connector.core.reach import Protection
from connector.core.secret import Unshowable
from connector.keys.handover import child
from connector.keys.handover.steps import HandOverSteps
from connector.keys.handover.wire import Mark
from connector.upstream import RequestLimit
from tests.keys.handover.plugins.scripted_plugins import Script, ScriptedEscrow, ScriptedTarget
from tests.keys.handover.scene import Person

UNLIMITED = RequestLimit(rate=lambda: float("inf"))
FETCHED = [Mark.FETCHING, Mark.FETCHING]


@pytest.fixture(autouse=True)
def _key_material() -> None:
    """This process stands for a hand-over process."""
    allow_key_material()


class Around:
    """A process whose clock moves only in pauses."""

    def __init__(self, limit: float = 60) -> None:
        self.limit = limit
        self.marks: list[Mark] = []
        self.passed: list[str] = []
        self.pauses: list[float] = []
        self.token_bytes: Callable[[int], bytes] = Random(1).randbytes

    def mark(self, mark: Mark) -> None:
        self.marks.append(mark)

    def crash_point(self, name: str) -> None:
        self.passed.append(name)

    def monotonic(self) -> float:
        return sum(self.pauses)

    def seconds_left(self) -> float:
        return self.limit - self.monotonic()

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


class Answering(ScriptedTarget):
    """Answers uploads with these faults, one after the other, and then accepts."""

    def __init__(self, folder: Script, *faults: ConnectorError) -> None:
        super().__init__("uem", folder, UNLIMITED)
        self.faults = list(faults)
        self.logins = 0
        self.sizes: list[list[int]] = []
        self.received: Sequence[Bundle] = ()

    async def __aenter__(self) -> Self:
        self.logins += 1
        return self

    async def deliver(
        self, holder: str, bundles: Sequence[Bundle], sending: Callable[[], None]
    ) -> Delivered:
        self.received = bundles
        self.sizes.append([len(one.pkcs12) for one in bundles])
        sending()
        if self.faults:
            raise self.faults.pop(0)
        return await super().deliver(holder, bundles, lambda: None)


class Run:
    """One hand-over of a person's keys, up to its outcome."""

    def __init__(
        self,
        person: Person,
        *faults: ConnectorError,
        limit: float = 60,
        acts: dict[str, str] | None = None,
    ) -> None:
        self.person = person
        self.around = Around(limit)
        script = Script(folder=person.folder, acts=acts or {})
        self.escrow: Any = ScriptedEscrow("ca", script, UNLIMITED)
        self.target = Answering(script, *faults)

    async def outcome(self, **changes: Any) -> HandoverOutcome:
        steps = HandOverSteps(self.person.job(**changes), self.around, Protection(True))
        target: Any = self.target  # both have only what a hand-over calls
        return await child._hand_over(steps, self.escrow, target)


def transient(code: str, retry_after: float | None = None) -> Transient:
    return Transient(code, "failing on purpose", retry_after=retry_after)


def refused_login() -> Permanent:
    return Permanent("UEM-401", "failing on purpose", scope=Scope.UPSTREAM, upstream="uem:uem")


async def test_the_approved_set_is_delivered_and_wiped(person: Person) -> None:
    """Each key leaves escrow once, though one goes to two slots."""
    run = Run(person)
    outcome = await run.outcome()
    assert isinstance(outcome, Accepted)
    assert run.around.marks == [*FETCHED, Mark.SENDING]
    assert [one.size for one in outcome.bundles] == run.target.sizes[0]
    assert [(len(one.pkcs12), len(one.password)) for one in run.target.received] == [(0, 0)] * 3
    assert all(isinstance(one.pkcs12, Unshowable) for one in run.target.received)
    assert run.around.passed[0] == "handover.started"
    assert run.around.passed[-2:] == ["handover.sending", "handover.sent"]


async def test_another_list_than_the_approved_one_ends_it(person: Person) -> None:
    run = Run(person)
    outcome = await run.outcome(**person.without_archived())
    assert isinstance(outcome, Changed)
    assert run.around.marks == []


async def test_a_list_that_leads_to_no_set_ends_it(person: Person) -> None:
    """The CA knows the person under another address: that is a change, not a fault."""
    outcome = await Run(person).outcome(address="bob@example.org")
    assert isinstance(outcome, Changed)


async def test_without_a_granted_request_nothing_is_fetched(person: Person) -> None:
    run = Run(person)
    outcome = await run.outcome(requests=())
    assert isinstance(outcome, NotSent)
    assert (outcome.fault.code, outcome.disclosed, run.around.marks) == ("CA-409", 0, [])


async def test_a_key_that_does_not_fit_is_named(person: Person) -> None:
    """What is wrong with a bundle names its generation; nothing is sent."""
    (person.folder / f"{person.archived.fingerprint}.p12").write_bytes(b"<html>")
    run = Run(person)
    outcome = await run.outcome()
    assert isinstance(outcome, NotSent)
    assert (outcome.fault.code, outcome.disclosed) == ("P12-008", 2)
    assert outcome.fault.detail.startswith(f"generation {person.archived.fingerprint[:16]}: ")
    assert Mark.SENDING not in run.around.marks


async def test_an_answered_fault_is_tried_again_in_growing_pauses(person: Person) -> None:
    run = Run(person, *(transient("UEM-001") for _ in range(6)))
    assert isinstance(await run.outcome(), Accepted)
    assert run.around.pauses == [1, 2, 4, 8, 15, 15]
    again = [Mark.WAITING, Mark.SENDING]
    assert run.around.marks == [*FETCHED, Mark.SENDING, *again * 6]


async def test_it_is_not_begun_again_with_too_little_time(person: Person) -> None:
    """A pause of 2 s leaves 4.9 s of 7.9 s; five are needed."""
    run = Run(person, *(transient("UEM-001") for _ in range(6)), limit=7.9)
    outcome = await run.outcome()
    assert isinstance(outcome, Refused)
    assert (outcome.fault.code, run.around.pauses) == ("UEM-001", [1])


async def test_the_target_may_ask_for_a_longer_pause(person: Person) -> None:
    run = Run(person, transient("UEM-429", retry_after=30), transient("UEM-429", retry_after=1))
    assert isinstance(await run.outcome(), Accepted)
    assert run.around.pauses == [30, 2]


async def test_without_an_answer_it_is_not_sent_again(person: Person) -> None:
    """The set may still arrive, so it is unknown whether the device has it."""
    run = Run(person, transient("UEM-002"))
    outcome = await run.outcome()
    assert isinstance(outcome, Unknown)
    assert (outcome.answered, run.around.pauses) == (False, [])


async def test_keys_that_can_be_fetched_once_are_sent_again_all_the_same(person: Person) -> None:
    """They would be lost otherwise. Nothing says WAITING, because the set may be there."""
    person.single_use()
    run = Run(person, transient("UEM-002"))
    assert isinstance(await run.outcome(), Accepted)
    assert run.around.marks == [*FETCHED, Mark.SENDING, Mark.SENDING]


async def test_a_failed_upload_leaves_doubt_even_if_the_next_is_refused(person: Person) -> None:
    run = Run(person, transient("UEM-010"), Permanent("UEM-400", "refusing on purpose"))
    outcome = await run.outcome()
    assert isinstance(outcome, Unknown)
    assert (outcome.fault.code, outcome.answered) == ("UEM-400", True)


async def test_a_refused_login_is_tried_once_more(person: Person) -> None:
    run = Run(person, refused_login())
    assert isinstance(await run.outcome(), Accepted)
    assert (run.target.logins, run.around.pauses) == (2, [5])


async def test_a_login_that_stays_refused_ends_it(person: Person) -> None:
    run = Run(person, refused_login(), refused_login())
    outcome = await run.outcome()
    assert isinstance(outcome, Refused)
    assert (outcome.fault.code, run.target.logins) == ("UEM-401", 2)
    assert outcome.disclosed == 2


@pytest.mark.parametrize(
    ("verb", "kind"), [("list", NotSent), ("fetch", NotSent), ("after", Unknown)]
)
async def test_a_mistake_of_a_plug_in_costs_one_attempt(
    person: Person, verb: str, kind: type[HandoverOutcome]
) -> None:
    """Once the upload has begun, it is unknown what has arrived."""
    outcome = await Run(person, acts={verb: "mistake"}).outcome()
    assert isinstance(outcome, kind)
    assert isinstance(outcome, NotSent | Unknown)
    assert (outcome.fault.code, outcome.fault.detail) == ("HND-009", "handing over: KeyError")


async def test_time_that_is_up_ends_it_with_an_answer(person: Person) -> None:
    outcome = await Run(person, acts={"fetch": "stall"}, limit=0.05).outcome()
    assert isinstance(outcome, NotSent)
    assert (outcome.fault.code, outcome.disclosed) == ("HND-001", 1)
