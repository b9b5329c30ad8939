"""What the escrow suite needs around a backend: a CA that can be set up and disturbed."""

from collections.abc import Awaitable, Sequence
from typing import Protocol

from connector.core.errors import ConnectorError
from connector.core.key_material import KeyMaterial
from connector.core.model import OpenRequest, RequestState
from connector.core.ports import EscrowBackend, Recovery

PASSWORD = b"conformance-password-0123456789"


class EscrowWorld(Protocol):
    """One CA, real or simulated, that knows ``person`` with ``fingerprints``.

    ``fingerprints`` are two or more recoverable generations, all that the CA lists. ``secrets`` are
    strings that must never come to light (besides those that the suite makes): private keys in
    PEM, API keys, passwords.
    """

    person: str
    fingerprints: Sequence[str]
    secrets: Sequence[str]

    def backend(self) -> EscrowBackend:
        """A new backend with good credentials, not opened."""
        ...

    def stranger(self) -> EscrowBackend:
        """A new backend whose credentials the CA refuses, not opened."""
        ...

    async def ask_people(self) -> None:
        """From now on requests wait for a decision."""
        ...

    async def decide(self, request_id: str, *, grant: bool) -> None:
        """People grant or deny a request."""
        ...

    async def stall(self) -> None:
        """From now on the CA accepts what it is asked and does not answer."""
        ...

    async def stalled(self) -> None:
        """Wait until a request hangs in the stall."""
        ...

    async def recover(self) -> None:
        """Answer again."""
        ...

    async def go_away(self) -> None:
        """Stop listening for good."""
        ...


async def granted(world: EscrowWorld, backend: EscrowBackend, place: int = 0) -> Recovery:
    """A request for one of the person's generations that may be fetched."""
    recovery = asked(world, place)
    if await backend.begin(recovery) is RequestState.PENDING:
        await world.decide(recovery.id, grant=True)
    assert await backend.look(recovery.id) is RequestState.GRANTED
    return recovery


def asked(world: EscrowWorld, place: int = 0) -> Recovery:
    """A request for one of the person's generations; the same place has the same id."""
    return Recovery(
        id=f"c0f0a2ce-0000-4000-8000-{place:012x}",
        person=world.person,
        fingerprint=world.fingerprints[place],
        reason="conformance suite",
    )


async def open_ids(backend: EscrowBackend, person: str) -> list[str]:
    """The ids of the person's open requests."""
    found: Sequence[OpenRequest] = await backend.find_open(person)
    return [request.id for request in found]


def password() -> KeyMaterial:
    """A new copy of the suite's own password."""
    return KeyMaterial(PASSWORD)


async def failure(act: Awaitable[object]) -> ConnectorError:
    """The fault that ``act`` raises; anything but one of the three families is let through."""
    try:
        await act
    except ConnectorError as error:
        return error
    raise AssertionError("no error was raised")
