"""Acme's three plug-ins pass the suites of the test kit."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connector_testkit.conformance.collection import assert_collected
from connector_testkit.conformance.escrow import EscrowConformance
from connector_testkit.conformance.source import SourceConformance
from connector_testkit.conformance.target import TargetConformance
from toy import Toy
from toy_server import ToyServer
from worlds import TOKEN, CaWorld, Hooks, MdmWorld


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


@pytest.mark.parametrize("suite", [TargetConformance, EscrowConformance, SourceConformance])
def test_every_case_is_collected(request: pytest.FixtureRequest, suite: type) -> None:
    """A suite of which a case is not collected would pass without saying so."""
    module = request.node.parent
    assert isinstance(module, pytest.Module)
    assert assert_collected(module, suite) > 10
