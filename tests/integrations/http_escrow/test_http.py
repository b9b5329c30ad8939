"""The ``http`` backend against the escrow suite, with the simulated CA as its world."""

import pytest

from connector_testkit.conformance.collection import assert_collected
from connector_testkit.conformance.escrow import EscrowConformance
from connector_testkit.conformance.escrow_world import EscrowWorld

CASES = 24


class TestHttpEscrow(EscrowConformance):
    """Nothing is waived."""

    @pytest.fixture
    def world(self, http_world: EscrowWorld) -> EscrowWorld:
        return http_world


def test_the_whole_suite_was_collected(request: pytest.FixtureRequest) -> None:
    """A suite that pytest does not collect would look green."""
    assert assert_collected(request.node.parent, EscrowConformance) == CASES
