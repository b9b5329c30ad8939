"""What the ``http`` backend makes of an honest list, and of settings."""

from datetime import UTC, datetime
from typing import Any, Protocol

import pytest
from pydantic import ValidationError

from connector.core.model import Usage
from connector.integrations.http_escrow.backend import HttpEscrow, HttpEscrowSettings
from connector_testkit.conformance.escrow_world import EscrowWorld
from connector_testkit.simulators.ca.commands import Issue, NewPerson
from connector_testkit.simulators.ca.control import CaControl
from connector_testkit.simulators.ca.options import KeyAlgorithm


class World(EscrowWorld, Protocol):
    control: CaControl

    def backend(self, **changes: Any) -> HttpEscrow: ...


async def test_the_person_comes_with_proven_addresses_and_attributes(http_world: World) -> None:
    """Addresses and names of attributes are in lower case; the name is an attribute as well."""
    async with http_world.backend() as backend:
        person = (await backend.list(http_world.person)).person
    assert person.addresses == ("mara.lind@example.com", "m.lind@example.com")
    assert person.attributes == {"employee_number": "10442", "name": "Mara Lind"}


async def test_old_generations_are_listed_as_they_are(http_world: World) -> None:
    """An expired RSA-1024 generation is listed with size and dates, and recoverable."""
    async with http_world.backend() as backend:
        listing = await backend.list(http_world.person)
    oldest = next(
        entry.generation
        for entry in listing.certificates
        if entry.generation.fingerprint == http_world.fingerprints[0]
    )
    assert (oldest.key_type, oldest.key_size, oldest.usage) == ("rsa", 1024, Usage.ENCRYPTION)
    assert oldest.not_after < datetime.now(UTC).timestamp() * 1000
    assert oldest.recoverable
    assert oldest.addresses == ("mara.lind@example.com",)


async def test_a_revocation_is_listed_with_moment_and_reason(http_world: World) -> None:
    """A revoked encryption generation stays recoverable; when and why it was revoked is known."""
    await http_world.control.revoke(http_world.fingerprints[1], "superseded")
    async with http_world.backend() as backend:
        listing = await backend.list(http_world.person)
    revoked = [e.generation for e in listing.certificates if e.generation.revoked_at is not None]
    assert [g.fingerprint for g in revoked] == [http_world.fingerprints[1]]
    assert revoked[0].revocation_reason == "superseded"
    assert revoked[0].recoverable


@pytest.mark.parametrize("name", ["a/b", "ü ber", "100%", "a%2Fb", "x?y#z", "a;b", "*"])
async def test_odd_names_arrive_as_they_are(http_world: World, name: str) -> None:
    """A name is encoded as one part of the path, with any characters."""
    await http_world.control.put_person(NewPerson(person=name))
    order = Issue(person=name, key_algorithm=KeyAlgorithm.EC_P256, addresses=("a@example.com",))
    await http_world.control.issue(order)
    async with http_world.backend() as backend:
        listing = await backend.list(name)
        assert await backend.find_open(name) == ()
    assert (listing.person.person, len(listing.certificates)) == (name, 1)


def test_https_needs_a_client_certificate() -> None:
    """Without the pair of files the settings are refused, by name; loopback http needs none."""
    with pytest.raises(ValidationError, match="client_certificate_file"):
        HttpEscrowSettings(address="https://escrow.example.com")
    assert HttpEscrowSettings(address="http://127.0.0.1:8080").requester == "pki-connector"
