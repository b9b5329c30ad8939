"""Acme's three plug-ins pass the suites of the test kit."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from acme_connector.source import AcmeSource
from connector_testkit.conformance.collection import assert_collected
from connector_testkit.conformance.escrow import EscrowConformance
from connector_testkit.conformance.feed import FeedConformance
from connector_testkit.conformance.source import NOW, SourceConformance, received
from connector_testkit.conformance.target import TargetConformance
from toy import Toy
from toy_server import ToyServer
from worlds import TOKEN, CaWorld, FeedOfCa, FeedOfMdm, Hooks, MdmWorld


class TestAcmeMdm(TargetConformance):
    """Nothing is waived."""

    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[MdmWorld]:
        acme = Toy()
        async with ToyServer(acme, TOKEN) as server:
            yield MdmWorld(acme, server, tmp_path)


class TestAcmeCa(EscrowConformance):
    """Nothing is waived."""

    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[CaWorld]:
        acme = Toy()
        async with ToyServer(acme, TOKEN) as server:
            yield CaWorld(acme, server, tmp_path)


class TestAcmeSource(SourceConformance):
    """Callers are known before the body is read."""

    @pytest.fixture
    def stage(self) -> Hooks:
        return Hooks()


class TestAcmeFeedOfMdm(FeedConformance):
    """Nothing is waived."""

    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[FeedOfMdm]:
        acme = Toy()
        async with ToyServer(acme, TOKEN) as server:
            yield FeedOfMdm(acme, server, tmp_path)


class TestAcmeFeedOfCa(FeedConformance):
    """Nothing is waived."""

    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[FeedOfCa]:
        acme = Toy()
        async with ToyServer(acme, TOKEN) as server:
            yield FeedOfCa(acme, server, tmp_path)


async def test_posted_and_pulled_news_is_one_event(tmp_path: Path) -> None:
    """A tenant with both ways gets each event once."""
    acme, hooks = Toy(), Hooks()
    acme.tell("mdm", "device.enrolled", "15")
    source = AcmeSource([hooks.sender("main")])
    posted = received(source, "main", hooks.post("main", json.dumps(acme.told["mdm"][0]).encode()))
    async with ToyServer(acme, TOKEN) as server, FeedOfMdm(acme, server, tmp_path).feed() as feed:
        page = await feed.pull(None, NOW)
    assert list(page.events) == [posted]


async def test_an_acme_that_was_set_back_is_read_from_its_beginning(tmp_path: Path) -> None:
    """It does not know our position any more; what comes again has the same ids."""
    acme = Toy()
    acme.tell("mdm", "device.enrolled", "15")
    async with ToyServer(acme, TOKEN) as server, FeedOfMdm(acme, server, tmp_path).feed() as feed:
        page = await feed.pull("1000", NOW)
    assert len(page.events) == 1
    assert page.position == "1"


SUITES = [TargetConformance, EscrowConformance, SourceConformance, FeedConformance]


@pytest.mark.parametrize("suite", SUITES)
def test_every_case_is_collected(request: pytest.FixtureRequest, suite: type) -> None:
    """A suite of which a case is not collected would pass without saying so."""
    module = request.node.parent
    assert isinstance(module, pytest.Module)
    assert assert_collected(module, suite) > 10
