"""A loop over the small picture, with a first device enrolled where a test wants one."""

import pytest

from tests.core.pure_loop import PureLoop


@pytest.fixture
def loop() -> PureLoop:
    made = PureLoop()
    for person in ("user1", "user2"):
        made.ca.issue(person)
    return made
