"""A pause is the first thing that an operator reads, with every status and act."""

import json

import pytest

from connector.core.conditions import Severity
from connector.core.states import Brakes, Effect, Phase, Want
from connector.operators.conditions import condition
from connector.worker import brakes
from tests.cli.calls import Asked
from tests.operators.world import holder
from tests.support.clocks import NOW

KEY = "corp/user/12"
WHO = "local:1000 as anna"
ALL = f"PAUSED by {WHO} since 2027-01-15T08:00:00Z: key leak, ticket 4711"
ROUTE = f"PAUSED route staff by {WHO} since 2027-01-15T08:00:00Z: key leak, ticket 4711"


async def pause(ask: Asked, route: str | None = None) -> None:
    held = brakes.pause(Brakes(), route, NOW, by=WHO, reason="key leak, ticket 4711")
    await ask.world.brake(held)


async def put_one_that_would_hand_over(ask: Asked) -> None:
    want = Want(effect=Effect.HAND_OVER, due=NOW, lane="hand_over:staff")
    await ask.world.put(holder(phase=Phase.HANDING_OVER, wants=(want,)))


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("status", "holder"),
        ("status", "delivery"),
        ("status", "holder", KEY),
        ("deliver", KEY),
        ("retry", KEY),
        ("cancel", KEY, "--reason", "x"),
    ],
)
@pytest.mark.parametrize(("route", "line"), [(None, ALL), ("staff", ROUTE)])
async def test_the_first_line_says_who_paused_since_when_and_why(
    ask: Asked, arguments: tuple[str, ...], route: str | None, line: str
) -> None:
    """Beside data for machines it is on standard error."""
    await put_one_that_would_hand_over(ask)
    await pause(ask, route)
    assert (await ask(*arguments)).out.splitlines()[0] == line
    assert line in (await ask(*arguments, "-o", "json")).err


@pytest.mark.parametrize(("route", "step"), [("staff", "waits for resume"), ("other", "hand_over")])
async def test_what_a_pause_holds_back_waits_for_resume(ask: Asked, route: str, step: str) -> None:
    """What belongs to another route is not said to wait."""
    await put_one_that_would_hand_over(ask)
    await pause(ask, route)
    (line,) = json.loads((await ask("status", "holder", "-o", "json")).out)["items"]
    assert line["next_step"] == step
    shown = " ".join((await ask("status", "holder", KEY)).out.split())
    assert f"next step {step}" in shown


async def test_machines_get_the_pauses_as_data(ask: Asked) -> None:
    """The same members everywhere."""
    await put_one_that_would_hand_over(ask)
    await pause(ask)
    for arguments in (("status",), ("status", "holder"), ("deliver", KEY)):
        (told,) = json.loads((await ask(*arguments, "-o", "json")).out)["pauses"]
        assert (told["route"], told["by"], told["since"]) == (None, WHO, NOW)


@pytest.mark.parametrize("form", ["table", "csv"])
async def test_only_what_is_critical_comes_before_a_pause(ask: Asked, form: str) -> None:
    """The worst is the first line that an operator reads."""
    ask.world.conditions += [
        condition(Severity.WARNING, "CRT-002", "the certificate ends", NOW),
        condition(Severity.CRITICAL, "JRN-014", "a backup was restored", NOW),
    ]
    await pause(ask)
    result = await ask("status", "-o", form)
    told = result.out if form == "table" else result.err
    heads = [line.split()[0] for line in told.splitlines() if line and not line.startswith(" ")]
    assert heads[:3] == ["CRITICAL", "PAUSED", "WARNING"]


async def test_a_pause_of_an_earlier_version_is_shown_too(ask: Asked) -> None:
    """Its record knows since when, and neither who nor why."""
    await ask.world.brake(Brakes(all_paused=True, paused_since=NOW))
    first = (await ask("status")).out.splitlines()[0]
    assert first == "PAUSED since 2027-01-15T08:00:00Z"


async def test_a_resume_names_the_pauses_that_stay(ask: Asked) -> None:
    """One that another operator applied on a route goes on, and in sight."""
    held = brakes.pause(Brakes(), "staff", NOW, by=WHO, reason="key leak, ticket 4711")
    await ask.world.brake(brakes.pause(held, None, NOW, by="local:0", reason="upgrade"))
    told = (await ask("resume")).out
    assert told == f"{ROUTE}\nresume: accepted by 2 of the journal's partitions\n"
    await ask.world.brake(held)
    assert (await ask("resume", "--wait", "--timeout", "0")).code == 0
    assert "PAUSED" not in (await ask("resume", "--route", "staff")).out


@pytest.mark.parametrize(("route", "line"), [((), ALL), (("--route", "staff"), ROUTE)])
async def test_a_second_pause_is_told_of_the_first(
    ask: Asked, route: tuple[str, ...], line: str
) -> None:
    """It changes nothing: when the first one ends, nothing is paused."""
    again = ("pause", "--reason", "upgrade", *route)
    assert "was set before" not in (await ask(*again)).err
    await pause(ask, *route[1:])
    result = await ask(*again)
    assert result.out.splitlines()[0] == line
    assert "was set before" in result.err
    other = () if route else ("--route", "staff")
    assert "was set before" not in (await ask("pause", "--reason", "x", *other)).err


async def test_without_a_pause_nothing_is_said(ask: Asked) -> None:
    """One that was released leaves no trace here."""
    await put_one_that_would_hand_over(ask)
    held = brakes.pause(Brakes(), None, NOW, by=WHO, reason="over")
    await ask.world.brake(brakes.resume(held, None, NOW + 1))
    assert "PAUSED" not in (await ask("status")).out
