"""Looks at a simulated UEM that takes few requests."""

from collections import Counter

import pytest

from connector_testkit.conformance.target_world import failure
from tests.integrations.workspace_one.conftest import UemWorld


async def test_throttled_without_a_time_says_none(uem: UemWorld) -> None:
    """Then the state's own back-off decides."""
    await uem.control.switch(daily_limit=None)
    await uem.control.fault("throttled")
    async with uem.target(throttle_wait=0) as target:
        error = await failure(target.look_gone("12"))
    assert (error.code, error.retry_after) == ("UEM-004", None)


@pytest.mark.parametrize("told", [True, False])
async def test_a_look_of_many_requests_ends_where_few_are_taken_per_second(
    uem: UemWorld, *, told: bool
) -> None:
    """A request that came too early is sent again; what was read before it is not asked again."""
    holder = await uem.add_holder()
    devices = {await uem.add_device(holder) for _ in range(6)}
    await uem.control.switch(requests_per_second=10, throttle_header=told)
    async with uem.target() as target:
        facts = await target.look_up(holder, uem.profiles)
    assert facts is not None
    assert {device.id for device in facts.devices} == devices
    statuses = Counter(each["status"] for each in await uem.requests())
    assert statuses[200] == 14
    assert 1 <= statuses[429] <= 4


async def test_a_used_up_budget_says_when_it_is_renewed(uem: UemWorld) -> None:
    """Without Retry-After the rate headers are obeyed, up to an hour at once."""
    await uem.control.switch(daily_limit=1, enforces_limit=True)
    async with uem.target() as target:
        await target.look_gone("12")
        error = await failure(target.look_gone("12"))
    assert (error.code, error.retry_after) == ("UEM-004", 3600.0)
