"""Which generations make up a set."""

from typing import Any

import pytest

from connector.core.errors import Permanent
from connector.core.model import DAY, Generation, Objection, PersonRecord, Slot, Usage, set_digest
from connector.core.selection import Selection, SelectionRules, SigningPolicy, select
from tests.core.upstreams import START, name

PERSON = PersonRecord(person="alice", addresses=("alice@example.com", "alice@old.example"))
RULES = SelectionRules(signing=SigningPolicy.REQUIRED)
LOST = {"0" * 64: "1" * 64}


def generation(number: int, usage: Usage = Usage.ENCRYPTION, **changes: Any) -> Generation:
    parts: dict[str, Any] = {
        "fingerprint": name(number, usage),
        "public_key": name(number, usage, "key"),
        "usage": usage,
        "issuer": "CN=CA",
        "serial": str(number),
        "not_before": START + number * DAY,
        "not_after": START + 1000 * DAY,
        "addresses": ("alice@example.com",),
    }
    return Generation(**parts | changes)


SIGNING = generation(1, Usage.SIGNING)
OLD, NEW = generation(1), generation(2)


def chosen(*listed: Generation, rules: SelectionRules = RULES) -> Selection:
    return select(
        listed, person=PERSON, address="Alice@example.com", rules=rules, now=START + 100 * DAY
    )


def slots(selection: Selection) -> dict[Slot, list[str]]:
    return {
        slot: [entry.fingerprint for entry in selection.entries if entry.slot is slot]
        for slot in Slot
    }


def test_the_newest_is_current_and_every_older_one_archived() -> None:
    """In any order in which the CA lists them."""
    selection = chosen(OLD, SIGNING, NEW)
    assert slots(selection) == {
        Slot.SIGNING: [SIGNING.fingerprint],
        Slot.ENCRYPTION: [NEW.fingerprint],
        Slot.ARCHIVED: [OLD.fingerprint],
    }
    assert selection.digest == chosen(NEW, OLD, SIGNING).digest == set_digest(selection.entries)


@pytest.mark.parametrize(
    "changes",
    [
        {"not_after": START},
        {"not_before": START + 101 * DAY},
        {"revoked_at": START},
        {"key_size": 1024},
        {"addresses": ("other@example.com", "alice@old.example")},
    ],
)
def test_what_cannot_be_current_is_archived_nevertheless(changes: dict[str, Any]) -> None:
    """Expired, not valid yet, revoked, weak, or for an older address (promise 4)."""
    unfit = generation(3, **changes)
    selection = chosen(SIGNING, OLD, unfit)
    assert slots(selection)[Slot.ENCRYPTION] == [OLD.fingerprint]
    assert slots(selection)[Slot.ARCHIVED] == [unfit.fingerprint]


@pytest.mark.parametrize(
    ("listed", "code"),
    [
        ([SIGNING], "KEY-101"),
        ([SIGNING, generation(1, revoked_at=START)], "KEY-102"),
        ([SIGNING, NEW, generation(1, recoverable=False)], "KEY-104"),
        ([SIGNING, NEW, generation(1, key_size=512)], "KEY-105"),
        ([SIGNING, NEW, generation(1, addresses=("eve@example.com",))], "KEY-106"),
        ([NEW], "KEY-107"),
        ([NEW, generation(1, Usage.SIGNING, revoked_at=START)], "KEY-107"),
    ],
)
def test_what_is_no_proper_set_is_refused_with_its_code(
    listed: list[Generation], code: str
) -> None:
    """A person has to do something about it."""
    with pytest.raises(Permanent, match=code):
        chosen(*listed)


def test_weak_and_expired_archived_generations_are_sent() -> None:
    """Old mail is readable with them only."""
    weak = generation(0, key_size=1024, not_after=START)
    assert weak.fingerprint in slots(chosen(SIGNING, NEW, weak))[Slot.ARCHIVED]


def test_signing_follows_the_policy() -> None:
    """Required, sent if escrowed, or never sent."""
    for policy, sent in ((SigningPolicy.IF_ESCROWED, 1), (SigningPolicy.NEVER, 0)):
        rules = RULES.model_copy(update={"signing": policy})
        assert len(slots(chosen(NEW, SIGNING, rules=rules))[Slot.SIGNING]) == sent
    rules = RULES.model_copy(update={"signing": SigningPolicy.IF_ESCROWED})
    assert slots(chosen(NEW, rules=rules))[Slot.SIGNING] == []


def test_a_key_for_both_uses_fills_both_slots() -> None:
    """One certificate may sign and encrypt."""
    both = generation(5, Usage.BOTH)
    assert slots(chosen(both))[Slot.SIGNING] == slots(chosen(both))[Slot.ENCRYPTION]


def test_history_is_left_out_only_in_so_many_words() -> None:
    """With archived generations off; then nothing about them is asked for either."""
    off = RULES.model_copy(update={"archived": False})
    assert slots(chosen(SIGNING, NEW, rules=off))[Slot.ARCHIVED] == []
    with pytest.raises(Permanent, match="KEY-103"):
        chosen(SIGNING, NEW, OLD, rules=off)
    accepted = off.model_copy(update={"accept_incomplete_history": True, "delivered": LOST})
    lost = generation(1, recoverable=False)
    selection = chosen(SIGNING, NEW, lost, rules=accepted)
    assert selection.left_out == {lost.fingerprint: "sending archived ones is off"}


def test_what_was_delivered_before_may_not_be_missing() -> None:
    """Unless a person dropped it by name (promise 5)."""
    rules = RULES.model_copy(update={"delivered": {OLD.public_key: OLD.fingerprint}})
    chosen(SIGNING, NEW, OLD, rules=rules)
    with pytest.raises(Permanent, match=f"KEY-108: .*{OLD.fingerprint[:16]}"):
        chosen(SIGNING, NEW, rules=rules)
    dropped = RULES.model_copy(update={"dropped": frozenset({OLD.fingerprint})})
    selection = chosen(SIGNING, NEW, OLD, rules=dropped)
    assert slots(selection)[Slot.ARCHIVED] == []
    assert selection.left_out[OLD.fingerprint] == "dropped by a person"


ODD = Objection(code="KEY-203", why="its key is of an unknown kind")
CLEAR = {"not_before": 0, "not_after": 0}


def test_a_signing_generation_that_cannot_be_sent_gives_way_to_an_older_one() -> None:
    """Or is left out where the route does not require one; it never stops the encryption keys."""
    odd = generation(50, Usage.SIGNING, objection=ODD)
    assert slots(chosen(SIGNING, odd, NEW))[Slot.SIGNING] == [SIGNING.fingerprint]
    left = RULES.model_copy(update={"signing": SigningPolicy.IF_ESCROWED})
    selection = chosen(odd, NEW, rules=left)
    assert slots(selection)[Slot.SIGNING] == []
    assert selection.left_out[odd.fingerprint] == f"signing certificate: {ODD.why}"
    with pytest.raises(Permanent, match="KEY-107"):
        chosen(odd, NEW)


@pytest.mark.parametrize("changes", [{}, {"not_before": START}, CLEAR])
@pytest.mark.parametrize("usage", [Usage.ENCRYPTION, Usage.BOTH])
@pytest.mark.parametrize("archived", [True, False])
def test_an_encryption_generation_that_cannot_be_sent_is_never_passed_over(
    changes: dict[str, Any], usage: Usage, *, archived: bool
) -> None:
    """Newer or older than the current one: it is named, and a person can go on without it."""
    odd = generation(50, usage, objection=ODD, **changes)
    rules = RULES.model_copy(update={"archived": archived, "accept_incomplete_history": True})
    if not archived and changes.get("not_before") == START:
        assert odd.fingerprint in chosen(SIGNING, NEW, odd, rules=rules).left_out  # older history
        return
    with pytest.raises(Permanent) as caught:
        chosen(SIGNING, NEW, odd, rules=rules)
    assert (caught.value.code, odd.fingerprint[:16] in caught.value.detail) == ("KEY-203", True)
    dropped = rules.model_copy(update={"dropped": frozenset({odd.fingerprint})})
    assert slots(chosen(SIGNING, NEW, odd, rules=dropped))[Slot.ENCRYPTION] == [NEW.fingerprint]


def test_a_current_generation_can_be_dropped() -> None:
    """Then the newest of the others takes its place, for both uses, or there is none."""
    both = generation(50, Usage.BOTH)
    dropped = RULES.model_copy(update={"dropped": frozenset({both.fingerprint})})
    selection = chosen(SIGNING, NEW, both, rules=dropped)
    assert slots(selection)[Slot.ENCRYPTION] == [NEW.fingerprint]
    assert slots(selection)[Slot.SIGNING] == [SIGNING.fingerprint]
    assert selection.left_out == {both.fingerprint: "dropped by a person"}
    with pytest.raises(Permanent, match="KEY-101"):
        chosen(SIGNING, both, rules=dropped)


def test_what_may_only_be_archived_is_not_current() -> None:
    """As its chain or key usage says; the reason is in the refusal when nothing else is there."""
    weak = generation(50, only_archived="signed with SHA-1")
    assert slots(chosen(SIGNING, NEW, weak)) == {
        Slot.SIGNING: [SIGNING.fingerprint],
        Slot.ENCRYPTION: [NEW.fingerprint],
        Slot.ARCHIVED: [weak.fingerprint],
    }
    with pytest.raises(Permanent, match=r"KEY-102.*signed with SHA-1"):
        chosen(SIGNING, weak)
