"""Answers of a CA that lies, stalls or breaks: each ends with its own code; no other user waits."""

from typing import Any, Protocol

import pytest

from connector.core.errors import ConnectorError, Family, Scope
from connector.core.model import RequestState, Usage
from connector.core.ports import EscrowBackend
from connector.integrations.http_escrow.backend import PROBLEMS, HttpEscrow
from connector_testkit.conformance.escrow_world import (
    PASSWORD,
    EscrowWorld,
    asked,
    failure,
    granted,
    password,
)
from connector_testkit.simulators.ca.commands import Issue, Lie, LieOrder, NewPerson, Operation
from connector_testkit.simulators.ca.control import CaControl
from connector_testkit.simulators.ca.problems import STATUS

ONE, ALL = Scope.SUBJECT, Scope.UPSTREAM
LISTINGS = [Operation.LIST, Operation.REQUESTS]
OTHER = NewPerson(person="other.one", addresses=("other.one@example.com",))


class World(EscrowWorld, Protocol):
    control: CaControl

    def backend(self, **changes: Any) -> HttpEscrow: ...


def verdict(error: ConnectorError) -> tuple[str, Family, Scope]:
    return error.code, error.family, error.scope


async def listing_fault(world: World, order: LieOrder, **changes: Any) -> ConnectorError:
    """The fault of a listing under a lie; another person is served at the same time."""
    await world.control.put_person(OTHER)
    await world.control.issue(Issue(person="other.one"))
    await world.control.lie(order)
    async with world.backend(**changes) as backend:
        error = await failure(backend.list(world.person))
        assert len((await backend.list("other.one")).certificates) == 1
    return error


async def fetch(backend: EscrowBackend, request_id: str, fingerprint: str) -> bytes:
    with password() as secret:
        return bytes((await backend.fetch(request_id, fingerprint, secret)).reveal())


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        (Lie.HTML, "CA-004"),
        (Lie.HUGE, "CA-005"),
        (Lie.REDIRECT, "CA-006"),
        (Lie.CONTRADICTORY_STATUS, "CA-008"),
        (Lie.WRONG_FINGERPRINT, "CA-008"),
        (Lie.TWICE, "CA-008"),
        (Lie.OTHER_PERSON, "CA-412"),
    ],
)
async def test_a_lying_list_is_refused(http_world: World, lie: Lie, code: str) -> None:
    """What no honest CA would list ends with a code of its own, for this person only."""
    order = LieOrder(lie=lie, person=http_world.person, operation=Operation.LIST)
    error = await listing_fault(http_world, order)
    assert verdict(error) == (code, Family.PERMANENT, ONE)


@pytest.mark.parametrize(("lie", "code"), [(Lie.WRONG_USAGE, "KEY-110"), (Lie.GARBAGE, "KEY-109")])
async def test_a_certificate_that_cannot_be_sent_stays_in_the_list(
    http_world: World, lie: Lie, code: str
) -> None:
    """It is a generation with an objection: named, and a person can drop it."""
    await http_world.control.lie(LieOrder(lie=lie, person=http_world.person))
    async with http_world.backend() as backend:
        listing = await backend.list(http_world.person)
    objections = [one.generation.objection for one in listing.certificates]
    assert [one.code if one else None for one in objections] == [code] * 3


async def test_a_redirect_is_not_followed(http_world: World) -> None:
    """The place that the CA points to is never visited, with no verb."""
    for operation in Operation:
        await http_world.control.lie(LieOrder(lie=Lie.REDIRECT, operation=operation))
    recovery = asked(http_world)
    async with http_world.backend() as backend:
        with password() as secret:
            acts = [
                backend.list(http_world.person),
                backend.find_open(http_world.person),
                backend.begin(recovery),
                backend.look(recovery.id),
                backend.fetch(recovery.id, recovery.fingerprint, secret),
                backend.clean_up(recovery.id),
            ]
            assert [(await failure(act)).code for act in acts] == ["CA-006"] * 6
    entries = await http_world.control.ledger()
    assert Operation.ELSEWHERE not in {entry.operation for entry in entries}


@pytest.mark.parametrize("lie", [Lie.DRIBBLE, Lie.STALL])
async def test_a_slow_answer_has_an_end(http_world: World, lie: Lie) -> None:
    """An answer that does not come, or comes byte by byte, is given up after the time limit."""
    order = LieOrder(lie=lie, person=http_world.person, operation=Operation.LIST)
    error = await listing_fault(http_world, order, timeout=0.5)
    assert (error.code, error.family) == ("CA-001", Family.TRANSIENT)


async def test_a_broken_read_is_repeated(http_world: World) -> None:
    """A connection that breaks off is tried again, without an effect on the answer."""
    order = LieOrder(lie=Lie.RESET, operation=Operation.LIST, times=2)
    await http_world.control.lie(order)
    async with http_world.backend() as backend:
        assert len((await backend.list(http_world.person)).certificates) == 3
    lies = [entry.lie for entry in await http_world.control.ledger()]
    assert lies == [Lie.RESET, Lie.RESET, None]


async def test_a_fetch_is_never_repeated(http_world: World) -> None:
    """It reaches the CA once, also when the answer is lost; a single-use key would be lost."""
    async with http_world.backend() as backend:
        recovery = await granted(http_world, backend)
        await http_world.control.lie(LieOrder(lie=Lie.RESET))
        error = await failure(fetch(backend, recovery.id, recovery.fingerprint))
    assert error.family is Family.TRANSIENT
    operations = [entry.operation for entry in await http_world.control.ledger()]
    assert operations.count(Operation.FETCH) == 1


@pytest.mark.parametrize(
    ("order", "expected", "wait"),
    [
        ({"status": 401, "code": "not_authenticated"}, ("CA-401", Family.PERMANENT, ALL), None),
        ({"status": 403, "code": "client_not_allowed"}, ("CA-401", Family.PERMANENT, ALL), None),
        ({"status": 403, "code": "something_else"}, ("CA-403", Family.PERMANENT, ONE), None),
        ({"status": 403, "code": "person_not_allowed"}, ("CA-403", Family.PERMANENT, ONE), None),
        ({"status": 404, "code": "something_else"}, ("CA-404", Family.PERMANENT, ONE), None),
        (
            {"status": 429, "code": "throttled", "retry_after": "17"},
            ("CA-003", Family.TRANSIENT, ONE),
            17.0,
        ),
        ({"status": 429, "code": "throttled"}, ("CA-003", Family.TRANSIENT, ONE), None),
        ({"status": 500, "code": "internal"}, ("CA-002", Family.TRANSIENT, ONE), None),
        (
            {"status": 503, "code": "unavailable", "retry_after": "4"},
            ("CA-002", Family.TRANSIENT, ONE),
            4.0,
        ),
        ({"status": 418, "code": "teapot"}, ("CA-004", Family.PERMANENT, ONE), None),
    ],
)
async def test_a_status_has_its_meaning(
    http_world: World,
    order: dict[str, Any],
    expected: tuple[str, Family, Scope],
    wait: float | None,
) -> None:
    """Each status becomes code, family, scope and the wait that was asked for."""
    await http_world.control.lie(
        LieOrder(lie=Lie.STATUS, operation=Operation.LIST, times=1, **order)
    )
    async with http_world.backend() as backend:
        error = await failure(backend.list(http_world.person))
    assert verdict(error) == expected
    assert error.retry_after == wait
    assert error.upstream == ("ca:corp" if expected[2] is ALL else None)


@pytest.mark.parametrize("operation", [Operation.BEGIN, Operation.LOOK])
async def test_an_answer_about_another_generation_is_refused(
    http_world: World, operation: Operation
) -> None:
    """Begin compares the fingerprint; look compares the id, which is all that it asked for."""
    recovery = asked(http_world)
    await http_world.control.lie(LieOrder(lie=Lie.OTHER_GENERATION, operation=operation))
    async with http_world.backend() as backend:
        if operation is Operation.BEGIN:
            assert (await failure(backend.begin(recovery))).code == "CA-412"
        else:
            await backend.begin(recovery)
            assert await backend.look(recovery.id) is RequestState.GRANTED


@pytest.mark.parametrize(
    ("lie", "code"), [(Lie.HTML, "CA-004"), (Lie.HUGE, "CA-005"), (Lie.REDIRECT, "CA-006")]
)
async def test_a_bundle_that_is_none_is_refused(http_world: World, lie: Lie, code: str) -> None:
    """What comes instead of a PKCS#12 is not taken for one."""
    async with http_world.backend() as backend:
        recovery = await granted(http_world, backend)
        await http_world.control.lie(LieOrder(lie=lie))
        error = await failure(fetch(backend, recovery.id, recovery.fingerprint))
        assert verdict(error) == (code, Family.PERMANENT, ONE)
        await http_world.control.be_honest()
        assert await fetch(backend, recovery.id, recovery.fingerprint)


async def test_a_refused_clean_up_is_told(http_world: World) -> None:
    """Only a request that is unknown counts as cleaned up."""
    order = LieOrder(
        lie=Lie.STATUS, operation=Operation.CLEAN_UP, status=403, code="client_not_allowed"
    )
    await http_world.control.lie(order)
    async with http_world.backend() as backend:
        error = await failure(backend.clean_up(asked(http_world).id))
    assert verdict(error) == ("CA-401", Family.PERMANENT, ALL)


async def test_a_revoked_signing_certificate_is_not_handed_out(http_world: World) -> None:
    """Where the list hides a revocation, the CA still refuses to recover the key."""
    control = http_world.control
    signing = await control.issue(Issue(person=http_world.person, usage=Usage.SIGNING))
    await control.revoke(signing.fingerprint)
    await control.lie(LieOrder(lie=Lie.HIDDEN_REVOCATION))
    recovery = asked(http_world).model_copy(update={"fingerprint": signing.fingerprint})
    async with http_world.backend() as backend:
        listed = {
            e.generation.fingerprint: e for e in (await backend.list("mara.lind")).certificates
        }
        assert listed[signing.fingerprint].generation.revoked_at is None
        error = await failure(backend.begin(recovery))
    assert verdict(error) == ("CA-413", Family.PERMANENT, ONE)


async def test_a_single_use_key_that_was_fetched_is_not_granted_any_more(
    http_world: World,
) -> None:
    """The state says fetched, and another fetch is answered by CA-409, to be begun again."""
    order = Issue(person=http_world.person, single_use=True)
    fingerprint = (await http_world.control.issue(order)).fingerprint
    recovery = asked(http_world).model_copy(update={"fingerprint": fingerprint})
    async with http_world.backend() as backend:
        await backend.begin(recovery)
        assert await fetch(backend, recovery.id, fingerprint)
        assert await backend.look(recovery.id) is RequestState.FETCHED
        error = await failure(fetch(backend, recovery.id, fingerprint))
    assert verdict(error) == ("CA-409", Family.TRANSIENT, ONE)
    assert PASSWORD.decode() in (await http_world.control.markers()).text


def test_every_refusal_of_the_contract_has_a_meaning() -> None:
    """A code of the contract is in the table, or says no more than its status."""
    by_status = {"not_authenticated", "client_not_allowed"}
    assert set(PROBLEMS) | by_status == set(STATUS)
