"""Persons and everything that is escrowed for them. Keys exist in this process' memory only."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from cryptography import x509

from connector.core.model import Usage
from connector_testkit.simulators.ca.authority import Authority, Leaf
from connector_testkit.simulators.ca.commands import Issue, NewPerson, Renew, Revoke
from connector_testkit.simulators.ca.keys import KeyPool, PrivateKey
from connector_testkit.simulators.ca.problems import Refusal


@dataclass(eq=False, repr=False)
class Escrowed:
    """One generation with its key. ``order`` is what it was issued by, for renewals."""

    order: Issue
    key: PrivateKey
    leaf: Leaf
    der: bytes
    revoked_at: datetime | None = None
    reason: str | None = None

    @cached_property
    def certificate(self) -> x509.Certificate:
        """The certificate as the library reads it; of some shapes it does not."""
        return x509.load_der_x509_certificate(self.der)

    @cached_property
    def fingerprint(self) -> str:
        """Lower-case hexadecimal SHA-256 over the DER certificate."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def is_revoked_signing(self) -> bool:
        """Whether it only signs and is revoked: such a key is never handed out."""
        return self.revoked_at is not None and self.order.usage is Usage.SIGNING


@dataclass(eq=False)
class Person:
    """A person's record and generations, oldest first."""

    record: NewPerson
    generations: list[Escrowed] = field(default_factory=list)


class Registry:
    """All persons of one CA."""

    def __init__(self, authority: Authority, keys: KeyPool, today: Callable[[], datetime]) -> None:
        self._authority = authority
        self._keys = keys
        self._today = today
        self._persons: dict[str, Person] = {}

    def __iter__(self) -> Iterator[Person]:
        """All persons, in the order in which they became known."""
        return iter(self._persons.values())

    def put(self, record: NewPerson) -> None:
        """Add a person, or replace their record and keep their generations."""
        known = self._persons.get(record.person)
        if known is None:
            self._persons[record.person] = Person(record)
        else:
            known.record = record

    def person(self, name: str) -> Person:
        """A person by exact name.

        Raises:
            Refusal: ``person_unknown``.
        """
        try:
            return self._persons[name]
        except KeyError:
            raise Refusal("person_unknown") from None

    def generation(self, person: str, fingerprint: str) -> Escrowed:
        """One generation of a person.

        Raises:
            Refusal: ``person_unknown`` or ``generation_unknown``.
        """
        for generation in self.person(person).generations:
            if generation.fingerprint == fingerprint:
                return generation
        raise Refusal("generation_unknown")

    def find(self, fingerprint: str) -> Escrowed:
        """A generation of whomever.

        Raises:
            Refusal: ``generation_unknown``.
        """
        for person in self:
            for generation in person.generations:
                if generation.fingerprint == fingerprint:
                    return generation
        raise Refusal("generation_unknown")

    async def issue(self, order: Issue) -> Escrowed:
        """Issue a certificate and escrow its key."""
        person = self.person(order.person)
        key = await self._keys.take(order.key_algorithm)
        start = self._today() - timedelta(days=order.issued_days_ago)
        addresses = person.record.addresses[:1] if order.addresses is None else order.addresses
        leaf = Leaf(
            common_name=person.record.name or order.person,
            addresses=addresses,
            usage=order.usage,
            not_before=start,
            not_after=start + timedelta(days=order.valid_days),
        )
        generation = Escrowed(order, key, leaf, self._authority.issue(leaf, key, order.shape))
        person.generations.append(generation)
        return generation

    async def renew(self, order: Renew) -> Escrowed:
        """Issue the newest generation of a use again, with a new key, valid from now.

        Raises:
            Refusal: ``generation_unknown`` when the person has none for this use.
        """
        alike = [g for g in self.person(order.person).generations if g.order.usage is order.usage]
        if not alike:
            raise Refusal("generation_unknown")
        return await self.issue(alike[-1].order.model_copy(update={"issued_days_ago": 0.0}))

    def revoke(self, order: Revoke) -> Escrowed:
        """Revoke a certificate now; its first moment and reason stay when it was revoked before."""
        generation = self.find(order.fingerprint)
        if generation.revoked_at is None:
            generation.revoked_at = self._today()
            generation.reason = order.reason
        return generation
