"""Identity: a UEM user is a person at the CA only if two attributes agree, and keep agreeing.

Mail alone is not proof: an administrator who edits a user's mail would receive another's keys.
"""

from collections.abc import Iterable
from difflib import SequenceMatcher
from urllib.parse import quote

from connector.core.addresses import canonical_address, canonical_addresses
from connector.core.errors import Permanent
from connector.core.model import HolderFacts, IdentityPair, PersonRecord
from connector.core.policy import RoutePolicy

LONGEST_NAME = 256
"""Most characters of an attribute, as in ``IdentityPair``."""
LONGEST = 400
"""Most characters of an attribute as it stands in a key, percent-encoded."""
MOST_NAMES = 12
"""Maximum number of existing attributes that a refusal of a missing one lists."""
BUILT_IN = {"username": "name", "email": "mail", "id": "id"}
"""Attribute names that every UEM user has, and the member of ``HolderFacts`` that holds them."""


def observed_pair(holder: HolderFacts, route: RoutePolicy) -> IdentityPair:
    """The pair that the UEM shows today.

    Raises:
        Permanent: ``IDN-003`` when one of the two attributes is empty, or too long for a name.
    """
    agreeing = _attribute(holder, route.agreeing_attribute)
    return IdentityPair(
        person=_attribute(holder, route.person_attribute),
        agreeing=_bounded(canonical_address(agreeing), route.agreeing_attribute),
    )


def same_pair(one: IdentityPair, other: IdentityPair) -> bool:
    """Whether two pairs name the same person; an address may be written in several forms."""
    agreeing = canonical_address(one.agreeing) == canonical_address(other.agreeing)
    return one.person == other.person and agreeing


def _attribute(holder: HolderFacts, name: str) -> str:
    member = BUILT_IN.get(name.lower())
    value = getattr(holder, member) if member else holder.attributes.get(name.lower(), "")
    if not value.strip():
        names = _nearest(name, {*holder.attributes, *BUILT_IN})
        raise Permanent("IDN-003", f"the user has no value in {name!r}; the UEM has {names}")
    return _bounded(str(value).strip(), name)


def _bounded(text: str, name: str) -> str:
    if len(text) > LONGEST_NAME or len(quote(text)) > LONGEST:
        raise Permanent("IDN-003", f"the user's value in {name!r} is too long for a name")
    return text


def _nearest(wanted: str, names: Iterable[str]) -> str:
    """The existing names, the most similar to the wanted one first."""

    def unlike(name: str) -> tuple[float, str]:
        return -SequenceMatcher(None, name, wanted.lower()).ratio(), name

    return ", ".join(sorted(names, key=unlike)[:MOST_NAMES])


def agrees(pair: IdentityPair, person: PersonRecord, route: RoutePolicy) -> None:
    """Check that the CA has proven the second attribute for the person.

    Raises:
        Permanent: ``IDN-002`` when it has not; ``CA-412`` when the record is another person's.
    """
    if person.person != pair.person:
        raise Permanent("CA-412", "the CA answered about another person")
    attribute = route.agreeing_ca_attribute.lower()
    if attribute == "mail":
        proven = canonical_addresses(person.addresses)
    else:
        proven = canonical_addresses([person.attributes.get(attribute, "")]) - {""}
    if not proven:
        names = _nearest(attribute, {*person.attributes, "mail"})
        raise Permanent("IDN-002", f"the CA has no {attribute!r} of the person, only {names}")
    if canonical_address(pair.agreeing) not in proven:
        raise Permanent(
            "IDN-002",
            f"{route.agreeing_attribute!r} of the user is not what the CA has as"
            f" {route.agreeing_ca_attribute!r} of the person",
        )
