"""The suite that a target must pass.

Subclass it, give it a world, and prove that its cases were collected::

    class TestMyTarget(TargetConformance):
        @pytest.fixture
        async def world(self) -> AsyncIterator[TargetWorld]:
            async with my_uem() as world:
                yield world


    def test_the_suite_was_collected(request: pytest.FixtureRequest) -> None:
        assert_collected(request.node.parent, TargetConformance)

What a target declares that it cannot do is skipped with that reason. What it should do and cannot
goes into ``waivers`` with the reason; a waived case runs and must fail.
"""

from collections.abc import Iterator
from typing import ClassVar

import pytest
from pydantic import BaseModel

from connector.core.ports import TargetCapabilities
from connector_testkit.conformance.target_acts import ActCases
from connector_testkit.conformance.target_child import Deliverer
from connector_testkit.conformance.target_looks import LookCases
from connector_testkit.conformance.target_world import TargetWorld


class TargetConformance(LookCases, ActCases):
    """All cases. ``waivers``: name of a case → why this target cannot pass it."""

    waivers: ClassVar[dict[str, str]] = {}

    @pytest.fixture
    def world(self) -> TargetWorld:
        raise LookupError("overriding the fixture `world` in the subclass is required")

    @pytest.fixture(scope="class")
    @classmethod
    def deliverer(cls) -> Iterator[Deliverer]:
        with Deliverer() as deliverer:
            yield deliverer

    @pytest.fixture(autouse=True)
    def _waive(self, request: pytest.FixtureRequest) -> None:
        """Expect waived cases to fail."""
        reason = self.waivers.get(request.function.__name__)
        if reason is not None:
            request.applymarker(pytest.mark.xfail(reason=reason, strict=True))

    def test_waivers_are_for_cases_that_exist(self) -> None:
        assert not [name for name in self.waivers if not hasattr(TargetConformance, name)]

    def test_what_a_plug_in_declares_is_there(self, world: TargetWorld) -> None:
        plugin = type(world.target())
        assert plugin.name
        assert issubclass(plugin.settings_model, BaseModel)
        assert plugin.settings_model.model_config.get("extra") == "forbid"
        assert isinstance(plugin.capabilities, TargetCapabilities)
