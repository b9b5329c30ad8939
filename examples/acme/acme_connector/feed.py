"""Acme's feed of events: what it would have posted, page by page behind a position."""

from typing import ClassVar, Self, cast

from acme_connector.escrow import AcmeCa
from acme_connector.events import event_of
from acme_connector.interface import AcmePlugin, AcmeSettings
from acme_connector.target import AcmeMdm
from connector.core.feed import FeedSender, FeedSettings, Page
from connector.core.model import Millis


class AcmeFeed:
    """See :class:`connector.core.feed.Feed`; device management and CA have a feed each."""

    settings_model: ClassVar[type[FeedSettings]] = FeedSettings

    def __init__(self, sender: FeedSender) -> None:
        """Take what is needed; nothing is read or opened yet."""
        area: type[AcmePlugin] = AcmeMdm if sender.kind == "uem" else AcmeCa
        self._tenant = sender.name
        self._acme = area(sender.name, cast("AcmeSettings", sender.settings), sender.permits)

    async def __aenter__(self) -> Self:
        await self._acme.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._acme.__aexit__()

    async def pull(self, position: str | None, now: Millis) -> Page:
        """The next entries; those that mean nothing to us are passed over."""
        shown = await self._acme.notices(position)
        events = (event_of(self._tenant, notice, now) for notice in shown.events)
        return Page([one for one in events if one is not None], shown.next, shown.more)
