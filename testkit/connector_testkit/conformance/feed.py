"""What every feed must do that is pulled from; authors of a source subclass the suite.

The subclass gives a fixture ``world``, a :class:`FeedWorld`::

    class TestMyFeed(FeedConformance):
        @pytest.fixture
        async def world(self) -> AsyncIterator[FeedWorld]:
            async with my_simulator() as world:
                yield world
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

import pytest
from pydantic import ValidationError

from connector.core.errors import Family, Scope
from connector.core.events import LONGEST_POSITION, Event
from connector.core.feed import Feed, FeedSettings, Page, checked
from connector.core.source import SourceCapabilities
from connector_testkit.conformance.source import HOUR, NOW
from connector_testkit.conformance.target_looks import OUTCOMES, PATIENCE
from connector_testkit.conformance.target_world import Trouble, failure

MOST_PAGES = 100
"""A feed that still says ``more`` then has no end."""


class FeedWorld(Protocol):
    """One product with a feed, real or simulated, that we may fill and disturb.

    ``name`` is the sender's name, ``source`` what the source declares, ``secrets`` are those of its
    login, as they would be found in a text.
    """

    name: str
    source: SourceCapabilities
    secrets: tuple[str, ...]

    def feed(self, patience: float = 10) -> Feed:
        """The feed, not yet open; ``patience`` is the seconds of a request's time-out."""
        ...

    def stranger(self) -> Feed:
        """The same with a login that is refused."""
        ...

    async def happen(self) -> None:
        """Something happens that means an event; each time something else."""
        ...

    async def chatter(self) -> None:
        """Something happens that means nothing to us."""
        ...

    async def disturb(self, trouble: Trouble) -> None:
        """Let this happen to each request from now on."""
        ...

    async def recover(self) -> None:
        """Behave again."""
        ...

    async def go_away(self) -> None:
        """Stop listening."""
        ...


async def pages(feed: Feed, position: str | None = None, now: int = NOW) -> list[Page]:
    """All pages behind a position."""
    found: list[Page] = []
    while not found or found[-1].more:
        assert len(found) < MOST_PAGES
        page = await feed.pull(position, now)
        assert not (page.more and page.position in {None, position}), "it says more, and stays"
        position = page.position or position
        found.append(page)
    return found


def events_of(found: Sequence[Page]) -> list[Event]:
    """The events of pages, in order."""
    return [event for page in found for event in page.events]


class FeedConformance:
    """Cases that hold for every feed."""

    def test_capabilities_are_declared(self, world: FeedWorld) -> None:
        assert world.source.pull
        assert world.source.event_kinds

    def test_settings_have_an_interval_and_refuse_what_they_do_not_know(
        self, world: FeedWorld
    ) -> None:
        """A misspelt setting is found, not ignored."""
        model = type(world.feed()).settings_model
        assert issubclass(model, FeedSettings)
        assert model.model_validate({"every": "30s"}).every == timedelta(seconds=30)
        with pytest.raises(ValidationError):
            model.model_validate({"no_such_setting": 1})

    async def test_events_keep_to_what_is_declared(self, world: FeedWorld) -> None:
        """Sender, source, kinds and positions; no time is later than ours."""
        for _ in range(5):
            await world.happen()
        async with world.feed() as feed:
            found = await pages(feed)
        events = events_of(found)
        assert len(events) == 5
        for page in found:
            checked(page, world.name, world.source.label, world.source.event_kinds)
        assert {event.received_at for event in events} == {NOW}
        assert all(event.occurred_at is None or event.occurred_at <= NOW for event in events)

    async def test_same_page_twice_has_the_same_ids(self, world: FeedWorld) -> None:
        """Whenever it is pulled, by whichever connection; other news are other events."""
        for _ in range(5):
            await world.happen()
        names = []
        for now in (NOW, NOW + HOUR):
            async with world.feed() as feed:
                names.append([event.id for event in events_of(await pages(feed, now=now))])
        assert names[0] == names[1]
        assert len(set(names[0])) == 5

    async def test_position_moves_on_and_only_new_events_come_behind_it(
        self, world: FeedWorld
    ) -> None:
        """Also for another connection: the position holds all that is needed to go on."""
        await world.happen()
        await world.happen()
        async with world.feed() as feed:
            first = await pages(feed)
        end = first[-1].position
        assert end is not None
        assert len(end.encode()) <= LONGEST_POSITION
        async with world.feed() as feed:
            assert events_of(await pages(feed, end)) == []
            await world.happen()
            behind = events_of(await pages(feed, end))
        assert len(behind) == 1
        assert behind[0].id not in {event.id for event in events_of(first)}

    async def test_nothing_has_happened_yet(self, world: FeedWorld) -> None:
        async with world.feed() as feed:
            (page,) = await pages(feed)
        assert list(page.events) == []

    async def test_news_without_meaning_is_passed_over(self, world: FeedWorld) -> None:
        """It must not hold up what comes after it."""
        await world.chatter()
        await world.happen()
        await world.chatter()
        async with world.feed() as feed:
            found = await pages(feed)
            assert len(events_of(found)) == 1
            assert events_of(await pages(feed, found[-1].position)) == []

    @pytest.mark.parametrize("trouble", OUTCOMES)
    async def test_trouble_has_family_and_scope(self, world: FeedWorld, trouble: Trouble) -> None:
        await world.happen()
        await world.disturb(trouble)
        async with world.feed(PATIENCE if trouble is Trouble.STALLS else 10) as feed:
            error = await failure(feed.pull(None, NOW))
            family, scopes = OUTCOMES[trouble]
            assert error.family is family
            assert error.scope in scopes
            assert (error.upstream is None) == (error.scope is Scope.SUBJECT)
            assert not any(secret in f"{error!r} {error}" for secret in world.secrets)

    async def test_trouble_passes(self, world: FeedWorld) -> None:
        """What happened meanwhile is there afterwards."""
        async with world.feed() as feed:
            await world.disturb(Trouble.FAILS)
            await failure(feed.pull(None, NOW))
            await world.happen()
            await world.recover()
            assert len(events_of(await pages(feed))) == 1

    async def test_a_product_that_is_away_is_an_outage(self, world: FeedWorld) -> None:
        await world.go_away()
        async with world.feed() as feed:
            error = await failure(feed.pull(None, NOW))
        assert (error.family, error.scope) == (Family.TRANSIENT, Scope.UPSTREAM)
        assert error.upstream is not None

    async def test_refused_credentials_concern_the_whole_upstream(self, world: FeedWorld) -> None:
        async with world.stranger() as feed:
            error = await failure(feed.pull(None, NOW))
        assert (error.family, error.scope) == (Family.PERMANENT, Scope.UPSTREAM)

    async def test_a_deadline_of_the_caller_is_honoured(self, world: FeedWorld) -> None:
        await world.disturb(Trouble.STALLS)
        async with world.feed() as feed:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await feed.pull(None, NOW)

    async def test_closing_twice_and_opening_again(self, world: FeedWorld) -> None:
        feed = world.feed()
        await world.happen()
        for _ in range(2):
            async with feed:
                assert len(events_of(await pages(feed))) == 1
            await feed.__aexit__(None, None, None)

    def test_no_secret_is_shown(self, world: FeedWorld) -> None:
        assert not any(secret in repr(world.feed()) for secret in world.secrets)
