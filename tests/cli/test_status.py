"""What ``status`` shows."""

import csv
import io
import json

import pytest

from connector.core.conditions import Severity
from connector.core.feed import FeedPosition
from connector.core.model import SubjectKind, subject_key
from connector.core.states import Copy, CopyState, HolderState, Phase
from connector.operators.conditions import condition
from tests.cli.calls import Asked, Command
from tests.operators.world import ARCHIVED, CURRENT, DEVICE, device, holder
from tests.support.clocks import NOW


async def test_a_table_for_people(ask: Asked) -> None:
    """A listing has one line per holder, with phase, age, next step and the copy."""
    await ask.world.put(holder())
    result = await ask("status", "holder")
    assert result.code == 0
    (line,) = [line for line in result.out.splitlines() if "corp/user/12" in line]
    cells = line.split()
    assert cells[:5] == [
        "corp/user/12",
        "mara12",
        "mara12@example.com",
        "staff",
        "awaiting_install",
    ]
    assert cells[4:9] == ["awaiting_install", "1h", "0", "1", "present"]
    assert "look_installed" in line
    assert "in 1m30s" in line


async def test_json_for_machines(ask: Asked) -> None:
    """A listing is a page; one subject is its state as in ``schemas/state``."""
    await ask.world.put(holder())
    page = json.loads((await ask("status", "holder", "--output", "json")).out)
    assert page["items"][0]["key"] == "corp/user/12"
    state = json.loads((await ask("status", "holder", "mara12", "-o", "json")).out)
    assert HolderState.model_validate(state).copy_.state == "present"
    assert state["copy"]["state"] == "present"


async def test_generations_by_devices(ask: Asked) -> None:
    """One holder: what is known of delivery, copy, devices, and where each generation stands."""
    await ask.world.put(holder(phase=Phase.FAILED))
    out = (await ask("status", "holder", "12")).out
    assert "failed for 1h" in out
    assert "CA-410 the request was denied" in out
    assert "Ask the CA's approvers; then retry." in out
    rows = {
        name: line for name in (CURRENT, ARCHIVED) for line in out.splitlines() if name[:16] in line
    }
    assert rows[CURRENT].split()[-1] == "sent"
    assert "archived" in rows[ARCHIVED]
    assert "delivered 2027-01-14" in rows[ARCHIVED]


async def test_csv_for_spreadsheets(ask: Asked) -> None:
    """A formula in a user's name stays a name; one row per generation and device."""
    await ask.world.put(holder(name='=HYPERLINK("http://x")', mail="@SUM(A1)"))
    (row,) = csv.DictReader(io.StringIO((await ask("status", "holder", "-o", "csv")).out))
    assert (row["name"], row["mail"]) == ('\'=HYPERLINK("http://x")', "'@SUM(A1)")
    rows = list(csv.DictReader(io.StringIO((await ask("status", "holder", "12", "-o", "csv")).out)))
    assert [(line["generation"], line["device"], line["standing"]) for line in rows] == [
        (CURRENT, DEVICE, "sent"),
        (ARCHIVED, DEVICE, "sent"),
    ]


@pytest.mark.parametrize("form", ["table", "csv"])
async def test_data_steers_no_terminal(ask: Asked, form: str) -> None:
    """Escape sequences and direction marks are written out; markup is text."""
    await ask.world.put(holder(name="\x1b]0;owned\x07[red]mara[/red]\u202egpj"))
    out = (await ask("status", "holder", "-o", form)).out
    assert "\\x1b]0;owned\\x07[red]mara[/red]\\u202egpj" in out
    assert not {"\x1b", "\x07", "\u202e"} & set(out)


async def test_open_deliveries(ask: Asked) -> None:
    """``status delivery`` lists the open ones; a phase asks for others."""
    await ask.world.put(holder(12), holder(13, Phase.FAILED), holder(14, Phase.COMPLETED))
    shown = json.loads((await ask("status", "delivery", "-o", "json")).out)["items"]
    assert [line["delivery"] for line in shown] == ["delivery-12"]
    failed = await ask("status", "delivery", "--phase", "failed", "-o", "json")
    assert [line["key"] for line in json.loads(failed.out)["items"]] == ["corp/user/13"]
    one = await ask("status", "delivery", "delivery-13", "-o", "json")
    assert json.loads(one.out)["key"] == "corp/user/13"


async def test_a_long_listing_says_that_there_is_more(ask: Asked) -> None:
    """The remark goes to standard error, and not with ``--quiet``."""
    await ask.world.put(*(holder(number) for number in range(10, 15)))
    result = await ask("status", "holder", "--limit", "3", "-o", "json")
    assert len(json.loads(result.out)["items"]) == 3
    assert "There are more" in result.err
    quiet = await ask("status", "holder", "--limit", "3", "--quiet")
    assert quiet.err == ""


async def test_the_service_at_a_glance(ask: Asked) -> None:
    """Counts, upstreams and partitions; as CSV the counts."""
    await ask.world.put(holder(), device())
    out = (await ask("status")).out
    assert "ca:main" in out
    assert "CA-001" in out
    rows = (await ask("status", "-o", "csv")).out.splitlines()
    assert rows == [
        "kind,route,phase,count",
        "device,,enrolled,1",
        "holder,staff,awaiting_install,1",
    ]
    assert json.loads((await ask("status", "-o", "json")).out)["version"] == "1.2.3"


async def test_the_glance_shows_how_pulling_goes(ask: Asked) -> None:
    """The last pull, how long the position has stood, and the code of what fails; if there is any.

    The position itself is the sender's own business and not shown.
    """
    assert "Feeds" not in (await ask("status")).out
    at = FeedPosition(position="marker-position", epoch=1, at=NOW - 120_000)
    await ask.world.change(pulled={"uem:corp": at})
    out = (await ask("status")).out
    (feed,) = [line for line in out.splitlines() if line.startswith("uem:corp")]
    assert feed.split() == ["uem:corp", "4s", "ago", "2m", "UEM-005"]
    assert "marker-position" not in out


async def test_a_device_by_its_name(ask: Asked) -> None:
    """A device shows whose it is."""
    await ask.world.put(device())
    assert "corp/user/12" in (await ask("status", "device", "phone")).out


async def test_conditions_come_first_and_worst_first(ask: Asked) -> None:
    """On top of the tables, beside CSV on standard error, in JSON as a list."""
    ask.world.conditions += [
        condition(Severity.WARNING, "CFG-003", "the listener's certificate ends", NOW - 60_000),
        condition(Severity.CRITICAL, "JRN-001", "the disk is full", NOW - 120_000),
    ]
    await ask.world.bury(0, 5, b"marker")
    lines = (await ask("status")).out.splitlines()
    assert lines[0] == "CRITICAL JRN-001 the disk is full (for 2m)"
    assert lines[1].startswith("    ")
    assert lines[2].startswith("WARNING CFG-003")
    assert any("1 record(s) are in the dead letters" in line for line in lines[:6])
    shown = json.loads((await ask("status", "-o", "json")).out)["conditions"]
    assert [one["code"] for one in shown[:2]] == ["JRN-001", "CFG-003"]
    assert "CRITICAL JRN-001" in (await ask("status", "-o", "csv")).err


@pytest.mark.parametrize("name", ["an\nna", "an\x1bna", "\x00", "x" * 129, "\u202eanna"])
def test_a_name_that_is_no_line_is_refused(command: Command, name: str) -> None:
    """With a code and how it has to be, before anything is asked."""
    result = command("status", "--as", name, "--socket", "/nowhere/admin.sock")
    assert (result.code, result.err.split()[0]) == (2, "EVT-007")
    assert "--as is one printable line" in result.err


async def test_long_names_in_any_script_are_subjects(ask: Asked) -> None:
    """256 characters are promised, however many octets each has."""
    name = "\u00f6\U0001f600" * 128
    key = subject_key("corp", SubjectKind.HOLDER, name)
    await ask.world.put(holder().model_copy(update={"key": key}))
    result = await ask("status", "holder", key, "-o", "json")
    assert (result.code, json.loads(result.out)["key"]) == (0, key)


async def test_the_glance_says_whether_anything_is_stuck(ask: Asked) -> None:
    """How many need a person and why, which upstream is out since when, and own certificates."""
    await ask.world.put(holder(10, phase=Phase.FAILED), holder(11, phase=Phase.FAILED))
    lines = (await ask("status")).out.splitlines()
    assert "needs an operator: 2 (2 CA-410)" in lines
    assert any(line.startswith("    CA-410 ") and "the first for 1h" in line for line in lines)
    (upstream,) = [line for line in lines if line.startswith("ca:main")]
    assert upstream.split()[:2] == ["ca:main", "open"]
    assert "CA-001" in upstream
    assert any(line.startswith("tls-server") and line.split()[-1] == "9" for line in lines)


async def test_after_a_restore_what_is_unsure_is_listed(ask: Asked) -> None:
    """Copies that perhaps are there, and open deliveries; not what is known to be over."""
    perhaps = Copy(state=CopyState.PERHAPS, not_after=NOW, due=NOW)
    gone = Copy(state=CopyState.GONE)
    await ask.world.put(
        holder(12, Phase.COMPLETED, copy_=perhaps),
        holder(13, Phase.COMPLETED, copy_=gone),
        holder(14, copy_=gone),
    )
    shown = json.loads((await ask("status", "--restored", "-o", "json")).out)
    assert [line["key"] for line in shown["items"]] == ["corp/user/12", "corp/user/14"]


async def test_an_error_is_json_where_json_is_asked_for(ask: Asked) -> None:
    """In each way to write the option; in words otherwise."""
    for form in (("-o", "json"), ("--output", "json"), ("-ojson",), ("--output=json",)):
        result = await ask("status", "holder", "nobody", *form)
        told = json.loads(result.err)["error"]
        assert (result.code, result.out, told["code"]) == (3, "", "DLV-007")
        assert told.keys() == {"code", "title", "detail", "action"}
    assert (await ask("status", "holder", "nobody")).err.startswith("DLV-007 ")


async def test_a_narrow_terminal_shows_one_line_for_each(ask: Asked) -> None:
    """What matters least is left out, and that is said; ``--wide`` and ``--columns`` decide."""
    await ask.world.put(*(holder(number) for number in range(10, 22)))
    result = await ask("status", "holder", COLUMNS="80")
    lines = result.out.splitlines()
    assert len(lines) < 20
    assert sum("corp/user/" in line and "awaiting_install" in line for line in lines) == 12
    assert max(map(len, lines)) <= 80
    assert "Not shown: detail, mail" in result.err
    wide = await ask("status", "holder", "--wide", COLUMNS="80")
    assert sum("mara10@example.com" in line and "present" in line for line in wide.out.split("\n"))
    chosen = await ask("status", "holder", "--columns", "name, phase", "-o", "csv")
    assert chosen.out.splitlines()[:2] == ["name,phase", "mara10,awaiting_install"]
    wrong = await ask("status", "holder", "--columns", "colour")
    assert (wrong.code, "no column 'colour'" in wrong.err) == (2, True)
