"""The SQLite journal keeps the contract."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connector_testkit.conformance.collection import assert_collected
from connector_testkit.conformance.journal import JournalConformance
from tests.journal.sqlite_world import SqliteWorld, opened


class TestSqlite(JournalConformance):
    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[SqliteWorld]:
        async with opened(tmp_path / "journal.db") as world:
            yield world


def test_the_suite_was_collected(request: pytest.FixtureRequest) -> None:
    """A suite whose cases pytest does not see would pass in silence."""
    assert assert_collected(request.node.parent, JournalConformance) >= 45
