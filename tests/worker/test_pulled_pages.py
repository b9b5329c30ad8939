"""Pages that a feed gives: of any size, once, and only what the plug-in may say."""

import pytest

from connector.core.events import Paused
from connector.core.feed import Page
from connector.worker.pulling import AT_ONCE
from tests.worker.conftest import Stage
from tests.worker.feeds import EVERY, Puller, enrolled, pulling


@pytest.fixture
def puller(stage: Stage) -> Puller:
    return Puller(stage)


async def test_a_feed_that_says_more_and_stays_is_asked_at_the_interval(
    stage: Stage, puller: Puller
) -> None:
    """It would be asked without end otherwise."""
    puller.feed.page = Page([enrolled("7", 0)], "1", more=True)
    async with stage.running() as worker, pulling(puller, worker):
        await stage.until(lambda: len(puller.slept) > 3)
    assert puller.slept[:4] == [0, *[EVERY / 1000] * 3]


async def test_a_page_of_any_size_is_stored_whole(stage: Stage, puller: Puller) -> None:
    """In several appends, and the position behind all of them."""
    devices = [str(number) for number in range(AT_ONCE + 1)]
    puller.feed.page = Page([enrolled(device, 0) for device in devices], "1")
    worker = stage.worker()
    await worker.take_over()
    async with pulling(puller, worker):
        await stage.until(lambda: puller.heard.pages)
    assert await puller.stored() == devices
    assert puller.heard.pages[0] == {("device_enrolled", True): len(devices)}


@pytest.mark.parametrize(
    "page",
    [
        Page([enrolled("7", 0, tenant="other")], "1"),
        Page([enrolled("7", 0, label="other")], "1"),
        Page([enrolled("7", 0).model_copy(update={"body": Paused(by="feed")})], "1"),
        Page([enrolled("7", 0).model_copy(update={"subject": "acme/partition/0"})], "1"),
        Page([enrolled("7", 0)], ""),
        Page([enrolled("7", 0)], "€" * 342),
    ],
    ids=["tenant", "source", "kind", "partition", "empty position", "long position"],
)
async def test_a_page_that_breaks_the_contract_is_refused_whole(
    stage: Stage, puller: Puller, page: Page
) -> None:
    """The plug-in acts for its own sender only, and its position has room in the record."""
    puller.feed.page = page
    async with stage.running() as worker, pulling(puller, worker):
        await stage.until(lambda: len(puller.heard.faults) > 1)
    assert {fault.code for fault in puller.heard.faults} == {"PLG-002"}
    assert await puller.stored() == []
    assert await puller.position() is None


async def test_the_longest_position_is_noted(stage: Stage, puller: Puller) -> None:
    puller.feed.page = Page([], "x" * 1024)
    async with stage.running() as worker, pulling(puller, worker):
        await stage.until(lambda: worker.record.pulled)
    assert not puller.heard.faults
