"""What fits into a record, and what a dead letter keeps of one that does not."""

import pytest

from connector.core.sizes import LARGEST, Part, Place, TooLarge, dead_letter, require_fitting

HALF = LARGEST["dead letter"] // 2


@pytest.mark.parametrize("part", LARGEST)
def test_a_record_of_the_largest_size_fits(part: Part) -> None:
    place = Place(part, "acme/user/1", 0)
    require_fitting(place, bytes(LARGEST[part]))
    with pytest.raises(TooLarge, match=str(LARGEST[part] + 1)):
        require_fitting(place, bytes(LARGEST[part] + 1))


@pytest.mark.parametrize("beside", [0, 1000])
def test_headers_count_with_the_record(beside: int) -> None:
    """Names and values: what is just too large with them is kept with its beginning only."""
    headers = [("n" * 400, bytes(600))] if beside else []
    whole = dead_letter((0, 1), "EVT-001", bytes(HALF - beside), 1, headers)
    cut = dead_letter((0, 1), "EVT-001", bytes(HALF - beside + 1), 1, headers)
    assert (whole.code, cut.code) == ("EVT-001", "JRN-015")
    assert [name for name, _ in cut.headers] == ["cut-code", "cut-bytes", "cut-sha256"]
