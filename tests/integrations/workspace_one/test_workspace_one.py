"""The target Workspace ONE passes the conformance suite on the simulated UEM."""

import pytest

from connector_testkit.conformance.collection import assert_collected
from connector_testkit.conformance.target import TargetConformance
from tests.integrations.workspace_one.conftest import UemWorld


class TestWorkspaceOne(TargetConformance):
    """Over TLS, with the shipped simulator."""

    @pytest.fixture
    def world(self, uem: UemWorld) -> UemWorld:
        return uem


def test_the_suite_was_collected(request: pytest.FixtureRequest) -> None:
    """No case of the suite is missing."""
    assert isinstance(request.node.parent, pytest.Module)
    assert_collected(request.node.parent, TargetConformance)
