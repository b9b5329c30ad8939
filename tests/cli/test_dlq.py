"""``dlq`` on the command line."""

import base64
import csv
import io
import json
import time

import pytest

from connector.core.events import DeadLetterDropped, DeadLetterReplayed
from tests.cli.calls import Asked
from tests.operators.test_dead_letters import NONSENSE, READABLE, readable
from tests.operators.world import AdminWorld
from tests.support.clocks import NOW

DAY_OF_LETTERS = "2027-01-15"
"""The day of ``NOW``."""


async def acts(world: AdminWorld) -> list[tuple[str, int, str]]:
    bodies = [event.body for event in await world.events()]
    return [
        (body.kind, body.position, body.reason)
        for body in bodies
        if isinstance(body, DeadLetterDropped | DeadLetterReplayed)
    ]


async def test_a_listing_shows_place_cause_and_what_it_reads_as(ask: Asked) -> None:
    """For people, machines and spreadsheets."""
    await ask.world.bury(0, 3, readable())
    await ask.world.bury(1, 7, NONSENSE)
    table = (await ask("dlq", "list")).out
    assert "0/3" in table
    assert "device_changed" in table
    items = json.loads((await ask("dlq", "list", "-o", "json")).out)["items"]
    assert [item["place"] for item in items] == ["0/3", "1/7"]
    rows = list(csv.DictReader(io.StringIO((await ask("dlq", "list", "-o", "csv")).out)))
    assert rows[1]["bytes"] == str(len(NONSENSE))


@pytest.mark.parametrize(
    ("options", "places"),
    [
        (("--code", "EVT-001"), ["0/2"]),
        (("--partition", "1"), ["1/1"]),
        (("--since", DAY_OF_LETTERS), ["0/1", "0/2"]),
        (("--until", DAY_OF_LETTERS), ["1/1"]),
        (("--until", "2027-01-15T08:00:00Z"), ["0/2", "1/1"]),
        (("--since", "2027-01-15T09:00:00+01:00"), ["0/1"]),
        (("--limit", "1"), ["0/1"]),
    ],
)
async def test_letters_are_chosen(ask: Asked, options: tuple[str, ...], places: list[str]) -> None:
    """By code, partition and time in UTC or with a zone; ``--limit`` says that there are more."""
    await ask.world.bury(0, 1, NONSENSE, at=NOW)
    await ask.world.bury(0, 2, NONSENSE, at=NOW - 1, code="EVT-001")
    await ask.world.bury(1, 1, NONSENSE, at=NOW - 86_400_000)
    found = json.loads((await ask("dlq", "list", *options, "-o", "json")).out)["items"]
    assert [item["place"] for item in found] == places


async def test_what_would_steer_a_terminal_is_escaped(ask: Asked) -> None:
    """Text with escapes, bytes in hexadecimal; the whole of it in base64 for machines."""
    await ask.world.bury(0, 1, b'{"kind": "\x1b]0;owned\x07"}' + b" " * 60)
    await ask.world.bury(0, 2, bytes(range(256)))
    text = (await ask("dlq", "show", "0/1")).out
    assert "\\x1b]0;owned\\x07" in text
    assert "\x1b" not in text
    hexadecimal = (await ask("dlq", "show", "0/2")).out
    assert "00000040  40 41 42" in hexadecimal
    assert "@ABCDEFGHIJKLMNO" in hexadecimal
    whole = json.loads((await ask("dlq", "show", "0/2", "-o", "json")).out)
    assert base64.b64decode(whole["letter"]["original"]) == bytes(range(256))


async def test_a_long_letter_is_cut_for_people(ask: Asked) -> None:
    """And they are listed."""
    await ask.world.bury(0, 1, b"x" * 5000)
    shown = await ask("dlq", "show", "0/1")
    assert shown.out.count("x") < 4200
    assert "904 more bytes" in shown.err


async def test_a_replay_of_one_and_of_many(ask: Asked) -> None:
    """Each is listed; what stays dead makes the exit code 7."""
    await ask.world.bury(0, 3, readable())
    one = await ask("dlq", "replay", "0/3", "--reason", "upgraded", "-o", "json")
    assert (one.code, json.loads(one.out)["outcomes"][0]["result"]) == (0, "replayed")
    await ask.world.bury(1, 7, NONSENSE)
    many = await ask("dlq", "replay", "--code", "EVT-005", "--rate", "500")
    assert (many.code, "dead" in many.out, "known before" in many.out) == (7, True, True)
    assert ("dead_letter_replayed", 3, "upgraded") in await acts(ask.world)
    assert len(await ask.world.events(READABLE.subject)) == 1


async def test_a_dry_run_says_what_would_stay_dead(ask: Asked) -> None:
    """Exit code 8, as for every check that found problems; nothing was changed."""
    await ask.world.bury(0, 3, readable())
    await ask.world.bury(1, 7, NONSENSE)
    result = await ask("dlq", "replay", "--all", "--dry-run")
    assert (result.code, result.err) == (8, "Dry run: nothing was changed.\n")
    assert (await ask("dlq", "drop", "--all", "--dry-run")).code == 0
    assert await ask.world.events() == []


async def test_a_drop_is_an_act_with_a_reason(ask: Asked) -> None:
    """More than one request takes are dropped all the same."""
    for position in range(120):
        await ask.world.bury(0, position, NONSENSE)
    result = await ask("dlq", "drop", "--partition", "0", "--reason", "foreign", "-o", "json")
    assert result.code == 0
    assert len(json.loads(result.out)["outcomes"]) == 120
    expected = [("dead_letter_dropped", position, "foreign") for position in range(120)]
    assert await acts(ask.world) == expected


async def test_a_replay_keeps_to_its_rate(ask: Asked) -> None:
    """Three letters at 20 a second take a tenth of a second at the least."""
    for position in (1, 2, 3):
        await ask.world.bury(0, position, NONSENSE)
    begun = time.monotonic()
    await ask("dlq", "replay", "--all", "--rate", "20")
    assert time.monotonic() - begun >= 0.1


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("dlq", "show", "0/9"), 3, "DLV-010"),
        (("dlq", "show", "nine"), 2, "EVT-007"),
        (("dlq", "replay", "0/9"), 3, ""),
        (("dlq", "replay", "nine"), 2, "PARTITION/POSITION"),
        (("dlq", "replay"), 2, "or use --all"),
        (("dlq", "drop", "--all"), 2, "needs a --reason"),
        (("dlq", "drop", "0/3", "--reason", " "), 2, "needs a --reason"),
        (("dlq", "list", "--code", "nonsense"), 2, "--code is written like"),
        (("dlq", "list", "--since", "yesterday"), 2, "yesterday"),
    ],
)
async def test_a_refusal_has_its_exit_code(
    ask: Asked, arguments: tuple[str, ...], code: int, told: str
) -> None:
    """Usage 2, not found 3; the words say what is wanted."""
    result = await ask(*arguments)
    assert (result.code, told in " ".join((result.out + result.err).split())) == (code, True)
    assert "Traceback" not in result.err
