"""The suite that a journal must pass.

Subclass it, give it a world, and prove that its cases were collected::

    class TestMyJournal(JournalConformance):
        @pytest.fixture
        async def world(self) -> AsyncIterator[JournalWorld]:
            async with my_journal() as world:
                yield world


    def test_the_suite_was_collected(request: pytest.FixtureRequest) -> None:
        assert_collected(request.node.parent, JournalConformance)

What a journal cannot do goes into ``waivers`` with the reason; a waived case runs and must fail.
"""

from typing import ClassVar

import pytest

from connector.core.journal import Journal
from connector_testkit.conformance.journal_commands import CommandCases
from connector_testkit.conformance.journal_events import EventCases
from connector_testkit.conformance.journal_known import KnownCases
from connector_testkit.conformance.journal_letters import LetterCases
from connector_testkit.conformance.journal_rounds import OwnerCases, RoundCases, TrailCases
from connector_testkit.conformance.journal_samples import JournalWorld
from connector_testkit.conformance.journal_states import StateCases


class JournalConformance(
    EventCases,
    CommandCases,
    OwnerCases,
    RoundCases,
    TrailCases,
    LetterCases,
    KnownCases,
    StateCases,
):
    """All cases. ``waivers``: name of a case → why this journal cannot pass it."""

    waivers: ClassVar[dict[str, str]] = {}

    @pytest.fixture
    def world(self) -> JournalWorld:
        raise LookupError("overriding the fixture `world` in the subclass is required")

    @pytest.fixture
    def journal(self, world: JournalWorld) -> Journal:
        return world.journal

    @pytest.fixture(autouse=True)
    def _waive(self, request: pytest.FixtureRequest) -> None:
        """Expect waived cases to fail."""
        reason = self.waivers.get(request.function.__name__)
        if reason is not None:
            request.applymarker(pytest.mark.xfail(reason=reason, strict=True))

    def test_waivers_are_for_cases_that_exist(self) -> None:
        assert not [name for name in self.waivers if not hasattr(JournalConformance, name)]

    async def test_closing_twice_is_harmless(self, journal: Journal) -> None:
        await journal.close()
        await journal.close()
