"""What a source offers that is pulled from: a feed of events behind a read position.

The service asks for page after page. It makes the events of a page durable first and the position
behind them afterwards, so that a page may come twice and is never lost.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import ClassVar, Literal, NamedTuple, Protocol, Self

from connector.core.errors import Permanent
from connector.core.events import LONGEST_POSITION, Event, SourcePulled
from connector.core.lenient import LenientRecord
from connector.core.model import Millis, SubjectKind, parse_subject
from connector.core.ports import RequestPermits
from connector.core.upstream import UpstreamSettings
from connector.core.values import Period, Section


class FeedSettings(Section):
    """What every feed has in its section ``pull``; a plug-in may add members."""

    every: Period = timedelta(minutes=1)
    """Interval between two pulls; a failed one is repeated sooner, then with growing pauses."""


class FeedPosition(LenientRecord):
    """How far a feed has been read, by the owner of which epoch, and since when."""

    position: str
    epoch: int
    at: Millis


class FeedSender(NamedTuple):
    """One sender as configured: its settings as UEM or CA, its section ``pull``, its permits."""

    kind: Literal["uem", "ca"]
    name: str
    settings: UpstreamSettings
    pull: FeedSettings
    permits: RequestPermits | None = None


class Page(NamedTuple):
    """Events in their order, and the position behind them; None: it is where it was.

    ``more``: the next page is there already, so it is asked for at once.
    """

    events: Sequence[Event]
    position: str | None
    more: bool = False


class Feed(Protocol):
    """The feed of one UEM or CA. Used as ``async with feed:``; closing twice is harmless."""

    settings_model: ClassVar[type[FeedSettings]]

    def __init__(self, sender: FeedSender) -> None: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *_: object) -> None: ...

    async def pull(self, position: str | None, now: Millis) -> Page:
        """The page behind a position that an earlier page had; None: from the beginning. Look.

        An event has the same id whenever it is pulled, and the one that a notification of the same
        news has. Raises the three families of :mod:`connector.core.errors`.

        Args:
            position: opaque to the service, at most 1 KiB.
            now: our time, for ``received_at``; no event happened later.
        """
        ...


def checked(page: Page, tenant: str, label: str, kinds: Collection[str]) -> Page:
    """The page, if it keeps to the contract: a plug-in must not act for others.

    Raises:
        Permanent: ``PLG-002`` for an event of another sender, source or kind than declared, and for
            a position that is empty or too long.
    """
    for event in page.events:
        theirs, kind, _ = parse_subject(event.subject)
        ours = (event.tenant, theirs, event.source) == (tenant, tenant, label)
        if not ours or kind is SubjectKind.PARTITION or event.body.kind not in kinds:
            raise Permanent("PLG-002", "pulling: an event of another sender, source or kind")
    if page.position is not None and not 0 < len(page.position.encode()) <= LONGEST_POSITION:
        raise Permanent("PLG-002", "pulling: the position is empty or too long")
    return page


def moved(
    known: Mapping[str, FeedPosition], body: SourcePulled, at: Millis
) -> dict[str, FeedPosition]:
    """The positions after one more page; what an earlier owner says afterwards changes nothing."""
    before = known.get(body.sender)
    if before is not None and body.epoch < before.epoch:
        return dict(known)
    reached = FeedPosition(position=body.position, epoch=body.epoch, at=at)
    return {**known, body.sender: reached}
