"""Words, exit codes and colours."""

import io

import pytest

from connector.catalogue import catalogue
from connector.cli.exits import Exit, exit_code
from connector.cli.formatting import age, day, defused, due, moment, shown, span
from connector.cli.output import Format, Screen
from connector.core.errors import BY_FAMILY

NOW = 1_800_000_000_000


@pytest.mark.parametrize(
    ("length", "text"),
    [(0, "0s"), (999, "0s"), (61_000, "1m1s"), (3_600_000, "1h"), (266_400_000, "3d2h")],
)
def test_lengths_of_time(length: int, text: str) -> None:
    """The two greatest units."""
    assert span(length) == text


def test_moments() -> None:
    """UTC; what has no time is empty; what is due is due now."""
    assert moment(NOW) == "2027-01-15T08:00:00Z"
    assert day(NOW) == "2027-01-15"
    assert (moment(None), age(None, NOW), due(None, NOW)) == ("", "", "")
    assert (due(NOW, NOW), due(NOW + 5000, NOW), age(NOW + 5000, NOW)) == ("now", "in 5s", "0s")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\uff1d"])
def test_no_cell_is_a_formula(start: str) -> None:
    """What a spreadsheet would take for a formula is quoted, or was written out."""
    assert defused(f"{start}cmd|' /C calc'!A0")[0] in {"'", "\\"}


def test_nothing_steers_the_terminal() -> None:
    """Control characters of both ranges, line and direction marks become escapes."""
    assert shown("a\x1b[31m\x9b\u2028\u200b\nb") == "a\\x1b[31m\\x9b\\u2028\\u200b\\nb"
    assert (shown(None), shown(value=True)) == ("", "yes")
    assert shown("M\u00fcller \u2603") == "M\u00fcller \u2603"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_can_be_switched_off(environment: dict[str, str], coloured: bool) -> None:  # noqa: FBT001 - a parameter
    """A terminal gets bold titles in colour, but not with NO_COLOR."""
    out = Terminal()
    screen = Screen(Format.TABLE, {"TERM": "xterm", **environment}, out=out)
    screen.line("text", style="red")
    assert ("\x1b[31m" in out.getvalue()) is coloured


COLUMNS = ("key", "name", "phase", "detail")
ROWS = [("acme/user/12", "alice", "awaiting_install", "x" * 40), ("acme/user/13", "", "failed", "")]


def test_a_wide_table_is_stacked_on_a_narrow_terminal() -> None:
    """One value a line, nothing folded inside of a word, empty ones left out."""
    out = io.StringIO()
    screen = Screen(Format.TABLE, {"COLUMNS": "60"}, out=out)
    screen.table(COLUMNS, ROWS)
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert lines[:6] == [
        [],
        ["key", "acme/user/12"],
        ["name", "alice"],
        ["phase", "awaiting_install"],
        ["detail", "x" * 40],
        [],
    ]
    assert lines[6:] == [["key", "acme/user/13"], ["phase", "failed"]]


def test_a_pipe_has_no_width() -> None:
    """Outside a terminal each row is on one line of any length."""
    out = io.StringIO()
    Screen(Format.TABLE, {}, out=out).table(COLUMNS, [("key", "n" * 300, "phase", "d" * 300)])
    _, _, row = out.getvalue().splitlines()
    assert row.split() == ["key", "n" * 300, "phase", "d" * 300]


def test_an_empty_table_says_nothing_in_a_word() -> None:
    """A heading over no rows would look like a fault."""
    out = io.StringIO()
    Screen(Format.TABLE, {}, out=out).table(COLUMNS, [], "Faults")
    assert out.getvalue() == "Faults\nnothing\n"


def test_every_code_has_an_exit() -> None:
    """Not found, denied, usage, unavailable, problems: by code and family."""
    ends = {code: exit_code(BY_FAMILY[entry.family](code)) for code, entry in catalogue().items()}
    assert ends["DLV-007"] is Exit.NOT_FOUND
    assert ends["AUTH-004"] is Exit.DENIED
    assert ends["EVT-007"] is Exit.USAGE
    assert ends["ADM-001"] is ends["CA-001"] is ends["JRN-001"] is Exit.UNAVAILABLE
    assert ends["CFG-001"] is Exit.PROBLEMS
    assert ends["KEY-108"] is Exit.FAILED
    assert Exit.OK not in ends.values()
