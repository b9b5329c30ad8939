"""What the target suite needs around a target: a product that can be set up and disturbed."""

from collections.abc import Awaitable, Sequence
from enum import StrEnum
from typing import Protocol

from connector.core.errors import ConnectorError
from connector.core.handover import PluginReference
from connector.core.ports import Target

Pair = tuple[str, str]
"""Slot and fingerprint of one pair that the product took."""


class Trouble(StrEnum):
    """How the product disturbs each request from now on."""

    REFUSES_LOGIN = "refuses_login"
    """It refuses our credentials."""
    ASKS_TO_WAIT = "asks_to_wait"
    """It does nothing and asks to come back in seven seconds."""
    FAILS = "fails"
    """It does nothing and answers that it failed by itself, as with status 500."""
    TALKS_NONSENSE = "talks_nonsense"
    """It answers "success" with a page for people."""
    TALKS_TOO_MUCH = "talks_too_much"
    """It answers more than any limit."""
    REDIRECTS = "redirects"
    """It sends us elsewhere."""
    STALLS = "stalls"
    """It takes requests and does nothing."""
    DOES_NOT_ANSWER = "does_not_answer"
    """It does what was asked and never answers."""
    BREAKS_OFF = "breaks_off"
    """It does what was asked and cuts the connection."""


class TargetWorld(Protocol):
    """One product, real or simulated, that we may fill and disturb.

    ``profiles`` maps platforms to the id of the mail profile that devices get here. ``secrets`` are
    strings that must never come to light: passwords, API keys.
    """

    profiles: dict[str, str]
    secrets: Sequence[str]

    def target(self, patience: float = 10) -> Target:
        """A new target with good credentials, not opened; ``patience``: seconds per request."""
        ...

    def reference(self, patience: float = 10) -> PluginReference:
        """The same as data: plug-in, name, settings."""
        ...

    def stranger(self) -> Target:
        """A new target whose credentials the product refuses, not opened."""
        ...

    async def add_holder(self) -> str:
        """A new user; the names of two users resemble each other."""
        ...

    async def add_device(self, holder: str) -> str:
        """A new device of a user, enrolled, with the mail profile assigned."""
        ...

    async def remove_device(self, device: str) -> None:
        """The device leaves the management."""
        ...

    async def give_device(self, device: str, holder: str) -> None:
        """The device belongs to another user from now on."""
        ...

    async def taken(self, holder: str) -> Sequence[frozenset[Pair]]:
        """The sets that the product took for a user, in their order."""
        ...

    async def installed(self, device: str, fingerprint: str) -> None:
        """Wait until the device holds this certificate and the product knows."""
        ...

    async def later(self) -> None:
        """Let seconds pass on the product's clock, which has whole seconds only."""
        ...

    async def disturb(self, trouble: Trouble) -> None:
        """Let this happen to each request from now on."""
        ...

    async def recover(self) -> None:
        """Behave again."""
        ...

    async def forget(self, holder: str) -> None:
        """Purge the user's copy as the product does by itself some day."""
        ...

    async def go_away(self) -> None:
        """Stop listening for good."""
        ...


async def failure(act: Awaitable[object]) -> ConnectorError:
    """The fault that ``act`` raises; anything but one of the three families is let through."""
    try:
        await act
    except ConnectorError as error:
        return error
    raise AssertionError("no error was raised")
