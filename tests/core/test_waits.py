"""How long an upload of unknown outcome may still arrive."""

import pytest

from connector.core.boot_time import Awaited, BootTime
from connector.core.holder.waits import DEFAULT_LIMIT, until_quiet
from connector.core.model import SECOND, Millis
from connector.core.policy import Rules
from connector.core.states import Copy, CopyState, HolderState
from connector.core.step import Step
from tests.core.names import ROUTE

NOW = 1_800_000_000_000
LIMIT = 17 * SECOND
RULES = Rules(
    routes={ROUTE.name: ROUTE.model_copy(update={"hand_over_limit": LIMIT})},
    boot=BootTime("here", 100),
    dice=lambda: 0.5,
)


def step(copy: Copy, route: str = ROUTE.name) -> Step[HolderState]:
    state = HolderState(key="acme/user/1", route=route).model_copy(update={"copy_": copy})
    return Step(state, NOW, RULES, cause="c")


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (ROUTE.name, LIMIT + ROUTE.hand_over_margin),
        ("removed", DEFAULT_LIMIT + 5 * SECOND),
    ],
)
def test_where_no_wait_was_kept_it_is_the_longest_that_the_route_allows(
    route: str, expected: Millis
) -> None:
    """A route that is gone from the settings has the limit of one without settings."""
    holder = step(Copy(state=CopyState.PERHAPS), route)
    assert until_quiet(holder) == expected
    assert holder.state.copy_.not_after == NOW + expected


def test_a_wait_that_was_kept_goes_on_where_it_was() -> None:
    kept = Awaited(boot="here", since=0, lasts=1000)
    holder = step(Copy(state=CopyState.PERHAPS, awaited=kept))
    assert until_quiet(holder) == 900
    assert holder.state.copy_.awaited == kept


def test_a_copy_that_is_known_is_not_waited_for() -> None:
    holder = step(Copy(state=CopyState.GONE))
    before = holder.state
    assert until_quiet(holder) == 0
    assert holder.state is before
