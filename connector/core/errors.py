"""The error families of the connector, by who has to act next.

::

    ConnectorError
    ├── Rejected    the sender must change what they send; trying again is pointless
    ├── Transient   nothing has to be done; the same thing is tried again later
    └── Permanent   a person must do something; the message says what

A fault has a *scope*: of one subject (one holder's delivery fails), or of a whole upstream
(credentials refused, misconfigured, down), which pauses the route and uses up an attempt only
where keys had been fetched.
Every fault carries a stable code of the catalogue ``connector/errors.yaml``.
"""

from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

DETAIL_LIMIT = 300


class Family(StrEnum):
    """Who has to act next."""

    REJECTED = "rejected"
    TRANSIENT = "transient"
    PERMANENT = "permanent"


class Scope(StrEnum):
    """How far a fault reaches."""

    SUBJECT = "subject"
    UPSTREAM = "upstream"


class Fault(BaseModel):
    """An error as data: what a state, an audit record or a receipt keeps of it.

    ``detail`` is text for an operator: at most 300 characters, printable, never upstream input
    verbatim and never a secret. ``retry_after`` is in seconds, as the upstream asked.
    ``upstream`` names the upstream of an upstream-wide fault (``ca:NAME`` or ``uem:NAME``).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = Field(pattern=r"^[A-Z0-9]{2,4}-[0-9]{3}$")
    family: Family
    scope: Scope = Scope.SUBJECT
    detail: str = Field(default="", max_length=DETAIL_LIMIT)
    retry_after: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    upstream: str | None = None
    disclosed: bool = Field(default=False, exclude=True)
    """In records of earlier versions only. An outcome counts the keys that left escrow."""


class ConnectorError(Exception):
    """Any failure that the connector knows by a code.

    Args:
        code: stable code of the catalogue, ``AREA-NNN``.
        detail: what happened, for an operator; cut to 300 characters, unprintable ones replaced.
        scope: whether it concerns one subject or the whole upstream.
        retry_after: seconds that the upstream asked to wait, if it did.
        upstream: which upstream, for scope ``UPSTREAM``.
    """

    family: ClassVar[Family]

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        scope: Scope = Scope.SUBJECT,
        retry_after: float | None = None,
        upstream: str | None = None,
    ) -> None:
        self.code = code
        self.detail = printable(detail)
        self.scope = scope
        self.retry_after = retry_after
        self.upstream = upstream
        super().__init__(f"{code}: {self.detail}" if self.detail else code)

    def fault(self) -> Fault:
        """The same failure as data."""
        return Fault(
            code=self.code,
            family=self.family,
            scope=self.scope,
            detail=self.detail,
            retry_after=self.retry_after,
            upstream=self.upstream,
        )


class Rejected(ConnectorError):
    """The sender must change what they send."""

    family = Family.REJECTED


class Transient(ConnectorError):
    """Trying again later may succeed without any change."""

    family = Family.TRANSIENT


class Permanent(ConnectorError):
    """A person must do something before it can succeed."""

    family = Family.PERMANENT


BY_FAMILY: dict[Family, type[ConnectorError]] = {
    Family.REJECTED: Rejected,
    Family.TRANSIENT: Transient,
    Family.PERMANENT: Permanent,
}


def raised(fault: Fault) -> ConnectorError:
    """The exception that a fault was made from, for code that received the fault as data."""
    return BY_FAMILY[fault.family](
        fault.code,
        fault.detail,
        scope=fault.scope,
        retry_after=fault.retry_after,
        upstream=fault.upstream,
    )


def printable(text: str) -> str:
    """Text that is safe on a terminal: unprintable characters replaced, cut to 300."""
    safe = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return safe[:DETAIL_LIMIT]
