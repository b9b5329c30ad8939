"""Who is who, and what people may change about it."""

import pytest

from connector.core.errors import Permanent
from connector.core.events import (
    GenerationDropped,
    IdentityConfirmed,
    IdentityForgotten,
    RetryRequested,
)
from connector.core.identity import agrees, observed_pair
from connector.core.model import HolderFacts, IdentityPair, PersonRecord
from connector.core.states import Phase
from tests.core.names import ROUTE
from tests.core.pure_loop import PureLoop
from tests.core.scenes import HOLDER, delivery, enrol, holder, redeliver, renew, until

USER = HolderFacts(id="1", name="user1", mail="User1@Example.com")
RECORD = PersonRecord(person="user1", addresses=("user1@example.com",))


def test_the_pair_is_what_the_route_names() -> None:
    """The person's name as it stands, the second in lower case."""
    assert observed_pair(USER, ROUTE) == IdentityPair(person="user1", agreeing="user1@example.com")


@pytest.mark.parametrize("value", ["", "  ", "x" * 257, "\N{CYRILLIC SMALL LETTER ZHE}" * 100])
def test_an_attribute_that_is_no_name_is_refused(value: str) -> None:
    """Empty, or too long to be part of a key: an edited attribute must not stop the service."""
    with pytest.raises(Permanent, match="IDN-003"):
        observed_pair(USER.model_copy(update={"name": value}), ROUTE)


def test_the_second_attribute_must_be_proven_at_the_ca() -> None:
    """Mail alone is not proof; a record of another person is none at all."""
    pair = observed_pair(USER, ROUTE)
    agrees(pair, RECORD, ROUTE)
    with pytest.raises(Permanent, match="IDN-002"):
        agrees(pair, RECORD.model_copy(update={"addresses": ("other@example.com",)}), ROUTE)
    with pytest.raises(Permanent, match="CA-412"):
        agrees(pair, RECORD.model_copy(update={"person": "user2"}), ROUTE)


@pytest.mark.parametrize("name", ["mail", "Mail", "employeenumber", "employeeNumber"])
def test_names_of_attributes_may_be_written_in_capitals(name: str) -> None:
    """In the settings, as in LDAP; the record of the CA has them in lower case."""
    route = ROUTE.model_copy(update={"agreeing_ca_attribute": name})
    proof = "user1@example.com" if name.lower() == "mail" else "E4711"
    record = RECORD.model_copy(update={"attributes": {"employeenumber": "e4711"}})
    agrees(IdentityPair(person="user1", agreeing=proof.lower()), record, route)
    with pytest.raises(Permanent, match="IDN-002"):
        agrees(IdentityPair(person="user1", agreeing="another"), record, route)


@pytest.mark.parametrize("name", ["EmployeeNumber", "employeenumber"])
def test_names_of_user_attributes_may_be_written_in_capitals(name: str) -> None:
    route = ROUTE.model_copy(update={"person_attribute": name, "agreeing_attribute": "Email"})
    user = USER.model_copy(update={"attributes": {"employeenumber": "E4711"}})
    assert observed_pair(user, route) == IdentityPair(person="E4711", agreeing="user1@example.com")


def test_an_unknown_attribute_is_told_with_the_names_that_exist() -> None:
    """The nearest first; a misspelt name must not look like a missing value or a mismatch."""
    route = ROUTE.model_copy(
        update={"agreeing_attribute": "employeNumber", "agreeing_ca_attribute": "employeNumber"}
    )
    attributes = {"employeenumber": "4711", "department": "R&D"}
    with pytest.raises(Permanent, match=r"IDN-003.* the UEM has employeenumber, "):
        observed_pair(USER.model_copy(update={"attributes": attributes}), route)
    pair = IdentityPair(person="user1", agreeing="4711")
    with pytest.raises(Permanent, match=r"IDN-002.* only employeenumber, "):
        agrees(pair, RECORD.model_copy(update={"attributes": attributes}), route)


def test_an_edited_mail_stops_the_delivery_until_a_person_confirms(loop: PureLoop) -> None:
    """And the other person's name is never asked at the CA meanwhile."""
    enrol(loop)
    loop.run_out()
    loop.uem.mails["1"] = "user1@elsewhere.example"
    redeliver(loop)
    loop.run_out()
    trouble = delivery(loop).trouble
    assert trouble is not None
    assert trouble.code == "IDN-001"
    observed = holder(loop).observed
    assert observed is not None
    assert observed.agreeing == "user1@example.com"
    renew(loop)
    loop.run_out()
    assert len(loop.uem.ledger) == 1
    seen = IdentityPair(person="user1", agreeing="user1@elsewhere.example")
    loop.send(HOLDER, IdentityConfirmed(by="local:0", reason="moved", pair=seen))
    loop.run_out()
    identity = holder(loop).identity
    assert identity is not None
    assert identity.pinned.agreeing == "user1@elsewhere.example"
    assert identity.confirmed_by == "local:0"


def look_with_mail(loop: PureLoop, mail: str) -> None:
    """The UEM shows another mail of the user, and a delivery looks at it."""
    loop.uem.mails["1"] = mail
    redeliver(loop)
    loop.run_out()


SEEN = IdentityPair(person="user1", agreeing="user1@elsewhere.example")


@pytest.mark.parametrize(
    ("named", "told"),
    [
        (SEEN, {"person": "user1", "agreeing": "user1@elsewhere.example"}),
        (None, {}),
    ],
)
def test_only_the_pair_that_a_person_saw_is_confirmed(
    loop: PureLoop, named: IdentityPair | None, told: dict[str, str]
) -> None:
    """It changed again before the confirmation was applied, or an older program named none."""
    enrol(loop)
    loop.run_out()
    look_with_mail(loop, SEEN.agreeing)
    look_with_mail(loop, "user2@example.com")
    before = holder(loop)
    loop.send(HOLDER, IdentityConfirmed(by="local:0", reason="moved", pair=named))
    loop.run_out()
    assert holder(loop) is before
    assert len(loop.uem.ledger) == 1
    entry = loop.audited[-1]
    assert (entry.action, entry.outcome) == ("person.identity_confirmed", "IDN-005")
    assert entry.details == told


def test_a_confirmed_pair_is_in_the_audit_trail(loop: PureLoop) -> None:
    """An address may be written in another form than the UEM has it."""
    enrol(loop)
    loop.run_out()
    look_with_mail(loop, SEEN.agreeing)
    loop.audited.clear()
    typed = SEEN.model_copy(update={"agreeing": "User1@Elsewhere.example"})
    loop.send(HOLDER, IdentityConfirmed(by="local:0", reason="moved", pair=typed))
    loop.run_out()
    (entry,) = (one for one in loop.audited if one.action == "person.identity_confirmed")
    assert (entry.outcome, entry.details) == ("ok", typed.model_dump())
    identity = holder(loop).identity
    assert identity is not None
    assert identity.pinned == SEEN


def test_a_pair_that_changed_back_needs_no_act(loop: PureLoop) -> None:
    """The conflict is forgotten with the next good look."""
    enrol(loop)
    loop.run_out()
    loop.uem.mails["1"] = "user2@example.com"
    redeliver(loop)
    loop.run_out()
    loop.uem.mails.clear()
    loop.send(HOLDER, RetryRequested(by="local:0"))
    loop.run_out()
    identity = holder(loop).identity
    assert identity is not None
    assert identity.conflicting is None
    assert delivery(loop).phase is Phase.COMPLETED


def test_forgetting_takes_the_history(loop: PureLoop) -> None:
    """Only a person can; the pin stays while a device is left."""
    enrol(loop)
    loop.run_out()
    before = holder(loop).identity
    assert before is not None
    forget = IdentityForgotten(by="local:0", reason="new contract", pair=before.pinned)
    loop.send(HOLDER, forget)
    loop.step()
    after = holder(loop).identity
    assert after is not None
    assert (after.pinned, after.confirmed_by) == (before.pinned, "local:0")
    assert holder(loop).delivered == ()


FIRST = IdentityPair(person="user1", agreeing="user1@example.com")


@pytest.mark.parametrize(
    ("named", "outcome"), [(None, "IDN-005"), (FIRST, "IDN-005"), (SEEN, "ok")]
)
def test_forgetting_pins_only_what_a_person_saw(
    loop: PureLoop, named: IdentityPair | None, outcome: str
) -> None:
    """While devices are left, the newest pair must be named; a later change has to be confirmed."""
    enrol(loop)
    loop.run_out()
    look_with_mail(loop, SEEN.agreeing)
    before = holder(loop)
    loop.send(HOLDER, IdentityForgotten(by="local:0", reason="new contract", pair=named))
    loop.step()
    entry = loop.audited[-1]
    assert (entry.action, entry.outcome) == ("person.identity_forgotten", outcome)
    assert (holder(loop) is before) == (outcome != "ok")
    look_with_mail(loop, "user2@example.com")
    identity = holder(loop).identity
    assert identity is not None
    assert identity.pinned == (SEEN if outcome == "ok" else FIRST)
    assert identity.conflicting is not None


def test_a_generation_in_the_way_can_be_dropped_by_name(loop: PureLoop) -> None:
    """Also at the first delivery, which never got as far as a set."""
    first = loop.ca.listed["user1"][0]
    loop.ca.listed["user1"][0] = first.model_copy(update={"recoverable": False})
    loop.ca.issue("user1")
    enrol(loop)
    until(loop, lambda: holder(loop).delivery is not None and not delivery(loop).open)
    trouble = delivery(loop).trouble
    assert trouble is not None
    assert trouble.code == "KEY-104"
    drop = GenerationDropped(by="local:0", reason="lost", fingerprint=first.fingerprint)
    loop.send(HOLDER, drop)
    redeliver(loop)
    loop.run_out()
    assert delivery(loop).phase is Phase.COMPLETED
    assert [one.fingerprint for one in holder(loop).dropped] == [first.fingerprint]


def test_an_act_that_fits_nothing_is_audited_and_changes_nothing(loop: PureLoop) -> None:
    """Confirming what does not conflict, dropping what is not known."""
    enrol(loop)
    loop.run_out()
    before = holder(loop)
    loop.send(HOLDER, IdentityConfirmed(by="local:0"))
    loop.send(HOLDER, GenerationDropped(by="local:0", fingerprint="0" * 64))
    loop.run_out()
    assert holder(loop) is before
    assert [entry.outcome for entry in loop.audited[-2:]] == ["DLV-006", "DLV-006"]
