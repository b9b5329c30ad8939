"""One canonical form of an address, from every place in which one is compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.addresses import canonical_address, canonical_host, host_of
from connector.core.identity import agrees, observed_pair, same_pair
from connector.core.model import DAY, Generation, HolderFacts, IdentityPair, PersonRecord, Usage
from connector.core.selection import SelectionRules, SigningPolicy, select
from tests.core.names import ROUTE

SPELLINGS = (
    "J@möbel.example",
    "j@MÖBEL.example",
    "j@xn--mbel-5qa.example",
    "j@XN--MBEL-5QA.example.",
    " j@mo\u0308bel.example ",
)
"""One mailbox, as a directory, a certificate and an administrator write it."""
NOW = 1000 * DAY


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_each_spelling_has_one_form(spelling: str) -> None:
    """Case, Unicode or A-label, composed or not."""
    assert canonical_address(spelling) == "j@xn--mbel-5qa.example"
    assert host_of(spelling) == "xn--mbel-5qa.example"


@given(st.text(max_size=80))
def test_the_form_is_stable_and_nothing_raises(text: str) -> None:
    """The form of a form is itself; text that is no address is kept, too."""
    once = canonical_address(text)
    assert canonical_address(once) == once
    assert canonical_host(canonical_host(text)) == canonical_host(text)


def test_other_mailboxes_stay_others() -> None:
    """The form never makes two hosts or two mailboxes one."""
    others = {"k@möbel.example", "j@mobel.example", "j@möbel.test", "j@möbel@example.com"}
    assert len({canonical_address(one) for one in [*others, SPELLINGS[0]]}) == 5


def generation(number: int, *addresses: str) -> Generation:
    return Generation(
        fingerprint=f"{number:064x}",
        public_key=f"{number:064x}",
        usage=Usage.ENCRYPTION,
        issuer="CN=CA",
        serial=f"{number:x}",
        not_before=number * DAY,
        not_after=2000 * DAY,
        addresses=addresses,
    )


@pytest.mark.parametrize("at_the_uem", SPELLINGS)
@pytest.mark.parametrize("at_the_ca", SPELLINGS)
def test_every_comparison_uses_the_form(at_the_uem: str, at_the_ca: str) -> None:
    """Mail domains of a route, identity, pin, today's address and proven aliases."""
    holder = HolderFacts(id="1", name="user1", mail=at_the_uem)
    person = PersonRecord(person="user1", addresses=(at_the_ca,))
    assert ROUTE.model_copy(update={"mail_domains": (host_in(at_the_ca),)}).fits(holder)
    pair = observed_pair(holder, ROUTE)
    agrees(pair, person, ROUTE)
    assert same_pair(pair, IdentityPair(person="user1", agreeing=at_the_ca.strip().lower()))
    chosen = select(
        [generation(2, at_the_ca), generation(1, at_the_uem)],
        person=person,
        address=at_the_uem,
        rules=SelectionRules(signing=SigningPolicy.NEVER),
        now=NOW,
    )
    assert len(chosen.entries) == 2


def host_in(spelling: str) -> str:
    return spelling.rpartition("@")[2]
