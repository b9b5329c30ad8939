"""A device that went to another user and came back."""

from typing import Any

from connector.core.model import HOUR, SECOND
from tests.core.test_histories import Histories


class First:
    """Draws the first of what there is to draw."""

    def draw(self, strategy: Any) -> Any:
        return strategy.elements[0]


def test_a_device_that_comes_back_is_known_with_its_set() -> None:
    """It came back as it was enrolled, without the set that it had been proven to have."""
    history: Any = Histories()
    history.enrol_the_first()
    history.time_passes(span=SECOND)
    history.time_passes(span=SECOND)
    history.change_hands(device="10", how="now", user="2")
    history.time_passes(span=8 * HOUR)
    history.a_person_drops_a_generation(data=First(), user="1")
    history.change_hands(device="10", how="now", user="1")
    history.teardown()
