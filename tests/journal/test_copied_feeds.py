"""A copied journal goes on pulling where the old one was."""

from pathlib import Path

from connector.core.events import SourcePulled
from connector.core.feed import FeedPosition
from connector_testkit.conformance.journal_samples import written
from tests.journal.copied import NOW, act, copied
from tests.journal.test_copy import NEW, OLD, journal

FEED = "uem:acme"


async def test_feeds_are_read_on_from_where_they_were(tmp_path: Path) -> None:
    """With what was noted and not applied yet; the first owner of the copy may move it on."""
    source, target = journal(tmp_path / "source.db", OLD), journal(tmp_path / "target.db", NEW)
    await source.open()
    await target.open()
    record = await source.take_over(0)
    noted = {FEED: FeedPosition(position="7", epoch=9, at=NOW - 1)}
    await written(source, record.model_copy(update={"pulled": noted}))
    await source.append([act(0, SourcePulled(sender=FEED, position="8", epoch=9))])
    await copied(source, target)
    first, *others = await target.records()
    assert first.pulled == {FEED: FeedPosition(position="8", epoch=0, at=NOW)}
    assert not any(one.pulled for one in others)
    await source.close()
    await target.close()
