"""What a source is: a plug-in that turns what senders post, or what is pulled, into events.

The webhook listener (:mod:`connector.sources`) limits, reads, stores and answers; the source knows
how callers authenticate, what a body means, and which answer its senders expect. One object
serves all senders of a type, so that an unknown sender costs the same time as a wrong password. It
is made again whenever settings or mounted secrets change, and holds no state between requests.
What is pulled comes from a :class:`connector.core.feed.Feed`.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple, Protocol

from pydantic import BaseModel

from connector.core.errors import ConnectorError
from connector.core.events import Event
from connector.core.model import Millis, Record
from connector.core.secret import Credential

NO_CREDENTIALS = "AUTH-005"
"""Code of a request without credentials: it is answered with the challenge, and no failed try."""


class SourceCapabilities(Record):
    """What a source is like; declared data.

    ``challenge``, ``failed_code``, ``test_calls`` and ``addresses`` are those of a webhook.

    Attributes:
        label: name of the source in events and in the metric label ``source``.
        event_kinds: kinds of the events that it makes, for metrics that begin at zero.
        webhook: whether senders post to it; the class is a :class:`Source` then.
        pull: whether it is pulled from; the class has a :class:`connector.core.feed.Feed` as its
            attribute ``feed`` then.
        challenge: value of ``WWW-Authenticate`` (RFC 9110 section 11.6.1).
        failed_code: code of the error catalogue for a caller whose proof is wrong.
        test_calls: whether senders test the address by a GET with credentials.
        addresses: types in the address besides the source's name, for senders set up earlier.
    """

    label: str
    event_kinds: tuple[str, ...]
    webhook: bool = True
    pull: bool = False
    challenge: str = ""
    failed_code: str = ""
    test_calls: bool = False
    addresses: tuple[str, ...] = ()


class Sender(NamedTuple):
    """One sender as configured: its name in the address, settings, and how secrets are read.

    ``secret`` gives the content of a mounted file that ``settings`` name.
    """

    name: str
    settings: BaseModel
    secret: Callable[[Path], Credential]


class Head(NamedTuple):
    """The head of a request; names of ``headers`` are found in any case."""

    sender: str
    headers: Mapping[str, str]


class Caller(Protocol):
    """An authenticated caller, and how to read what they sent."""

    @property
    def success_status(self) -> int:
        """The HTTP status for a notification that was stored."""
        ...

    def expect(self) -> None:
        """Check the headers that describe the body, before the body is used.

        Raises:
            Rejected: ``EVT-004`` when the media type is not one that this sender uses.
        """
        ...

    def event(self, body: bytes, now: Millis) -> Event | None:
        """The event in a body, or None if the notification is not used.

        Args:
            body: as it came, not compressed, within the limits of the listener.
            now: our time, for ``received_at``; no event happened later.

        Raises:
            Rejected: ``EVT-001`` malformed, ``EVT-004`` an encoding that is not supported.
        """
        ...


class Source(Protocol):
    """A plug-in of the group ``pki_connector.sources``.

    It is made with all senders of its type, and raises ``CFG-003`` (Permanent) when one of their
    secrets is unusable; the senders before stay in force then.
    """

    name: ClassVar[str]
    settings_model: ClassVar[type[BaseModel]]
    capabilities: ClassVar[SourceCapabilities]

    def __init__(self, senders: Sequence[Sender]) -> None: ...

    def caller(self, head: Head) -> Caller | None:
        """The caller, if the head authenticates them; None if only the body can.

        Raises:
            Rejected: ``AUTH-005`` when there are no credentials, else ``failed_code``, the same
                in the same time for an unknown sender as for a wrong secret.
        """
        ...

    def verified(self, head: Head, body: bytes, now: Millis) -> Caller:
        """The caller, if :meth:`caller` could not tell.

        Raises:
            Rejected: as above.
        """
        ...


def address_template(name: str) -> str:
    """The address template of the source ``name``, used as a metric label."""
    return f"/hooks/{name}/{{tenant}}"


def is_failed_try(error: ConnectorError) -> bool:
    """Whether a refusal means wrong credentials, not missing ones."""
    return error.code != NO_CREDENTIALS
