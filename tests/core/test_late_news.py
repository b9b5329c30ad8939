"""A device that was enrolled before an upload, and heard of after it."""

import pytest

from connector.core.events import DeviceEnrolled
from connector.core.model import SECOND
from connector.core.policy import PushPolicy
from tests.core.names import ROUTE, device_key
from tests.core.scenes import delivery, until
from tests.core.test_pushes import Pushing, waiting
from tests.core.upstreams import Phone

MINUTE = 60 * SECOND


@pytest.mark.parametrize(("before", "pushes"), [(SECOND, 1), (-SECOND, 0)])
def test_a_device_that_is_heard_of_after_the_upload_is_pushed_to_once(
    before: int, pushes: int
) -> None:
    """If it was enrolled before it: its profile is there with an earlier set, and nothing comes.

    One that was enrolled after the upload gets the newest set by itself.
    """
    second = ROUTE.model_copy(update={"push": PushPolicy.SECOND})
    loop = Pushing(routes={"corp": second})
    waiting(loop)
    uploaded = delivery(loop).uploaded_at
    assert uploaded is not None
    loop.pass_time(2 * SECOND)
    at = uploaded - before
    loop.uem.phones["11"] = Phone(
        enrolled=True,
        online=False,
        enrolled_on=at,
        last_seen=at,
        installed="0" * 64,
        installed_at=at,
    )
    loop.send(device_key("11"), DeviceEnrolled(platform="apple"), occurred_at=at)
    until(loop, lambda: device_key("11") in delivery(loop).devices)
    for _ in range(40):
        loop.step()
        loop.pass_time(MINUTE)
    assert loop.pushes == ({device_key("11"): 1} if pushes else {})
