"""Acts on the command line: what becomes an event, and how the command ends."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connector.core.model import IdentityPair
from connector.core.states import Identity, Phase, State
from tests.cli.calls import Asked, Command
from tests.cli.test_waiting import meanwhile
from tests.operators.world import PAIR, AdminWorld, holder
from tests.support.clocks import NOW

KEY = "corp/user/12"
NAMED = ("--person", PAIR.person, "--agreeing", PAIR.agreeing)
CONFIRM = ("identity", "confirm", KEY, "--reason", "x", "--person", "eve")
ANOTHER = 4242
"""A user id that owns nothing here."""


async def kinds(world: AdminWorld) -> list[str]:
    return [event.body.kind for event in await world.events()]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("deliver", KEY), ["delivery_requested"]),
        (
            ("deliver", "mara12", "--drop-generation", "bbbbbbbb", "--reason", "lost"),
            ["generation_dropped", "delivery_requested"],
        ),
        (("retry", KEY), ["retry_requested"]),
        (("retry", "--code", "CA-410", "--route", "staff"), ["retry_requested"]),
        (("identity", "forget", KEY, "--reason", "asked", *NAMED), ["identity_forgotten"]),
        (("pause", "--route", "staff", "--reason", "incident"), ["paused"] * 2),
        (("resume",), ["resumed"] * 2),
        (("clock", "accept", "--reason", "checked"), ["clock_accepted"] * 2),
    ],
)
async def test_an_act_is_accepted(
    ask: Asked, arguments: tuple[str, ...], expected: list[str]
) -> None:
    """Exit code 0, and the event says who: the verified user id and the name given."""
    await ask.world.put(holder(phase=Phase.FAILED))
    result = await ask(*arguments, "--output", "json")
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out)["complete"]
    assert await kinds(ask.world) == expected
    (event, *_) = await ask.world.events()
    assert event.model_dump()["body"]["by"] == f"local:{os.getuid()} as anna"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("cancel", KEY, "--reason", "x"), 1),
        (("identity", "confirm", KEY, "--reason", "x"), 2),
        (("identity", "confirm", KEY, "--person", "eve", "--reason", "x"), 2),
        ((*CONFIRM, "--agreeing", " "), 2),
        ((*CONFIRM, "--agreeing", "eve@example.com"), 1),
        (("cancel", KEY), 2),
        (("pause",), 2),
        (("clock", "accept"), 2),
        (("pause", "--reason", " "), 2),
        (("cancel", KEY, "--reason", "  "), 2),
        (("deliver", KEY, "--drop-generation", "bbbbbbbb"), 2),
        (("deliver", KEY, "--drop-generation", "12345678", "--reason", "x"), 2),
        (("deliver", KEY, "--drop-generation", "no", "--reason", "x"), 2),
        (("retry",), 2),
        (("retry", KEY, "--code", "CA-410"), 2),
        (("retry", "--code", "nonsense"), 2),
        (("retry", "--code", "CA-999"), 2),
        (("retry", "--route", "nowhere"), 2),
        (("status", "holder", "--route", "nowhere"), 2),
        (("status", "delivery", "--phase", "nonsense"), 2),
        (("status", "device", "--phase", "left"), 0),
        (("pause", "--route", "nowhere", "--reason", "x"), 2),
        (("status", "nonsense"), 2),
        (("deliver", "nobody"), 3),
        (("status", "holder", "nobody"), 3),
        (("identity", "show", "nobody"), 3),
        (("deliver", KEY, "--dry-run"), 8),
    ],
)
async def test_a_refusal_has_its_exit_code(
    ask: Asked, arguments: tuple[str, ...], code: int
) -> None:
    """Failed 1, usage 2, not found 3, problems found 8; no traceback, no act."""
    await ask.world.put(holder(phase=Phase.COMPLETED))
    result = await ask(*arguments)
    assert result.code == code
    assert "Traceback" not in result.err
    assert set(await kinds(ask.world)) <= {"plan_requested"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("retry", "--code", "nonsense"), "--code is written like UEM-400"),
        (("deliver", KEY, "--drop-generation", "no", "--reason", "x"), "8 or more hexadecimal"),
        (("deliver", KEY, "--drop-generation", "12345678", "--reason", "x"), "no generation of"),
        (("cancel", KEY, "--reason", " "), "--reason says why"),
        (("deliver", " "), "name the holder by key, id"),
    ],
)
async def test_a_wrong_word_is_told_what_it_should_be(
    ask: Asked, arguments: tuple[str, ...], told: str
) -> None:
    """A refused argument is named as it is typed, with what it should look like."""
    await ask.world.put(holder())
    assert told in " ".join((await ask(*arguments)).err.split())


async def test_a_brake_names_no_partition(ask: Asked) -> None:
    """People read one line; machines get every partition."""
    told = (await ask("pause", "--route", "staff", "--reason", "incident")).out
    assert told == "pause: accepted by 2 of the journal's partitions\n"
    assert len(json.loads((await ask("resume", "-o", "json")).out)["subjects"]) == 2


async def test_nothing_to_do_is_told(ask: Asked) -> None:
    """A retry that fits no holder says so and is no failure."""
    result = await ask("retry", "--code", "UEM-400")
    assert (result.code, result.out) == (0, "nothing\n")


async def test_a_dry_run_says_what_stands_in_the_way(ask: Asked) -> None:
    """Each fault with its code and what to do."""
    await ask.world.put(holder())
    result = await ask("deliver", KEY, "--dry-run")
    assert "USR-007" in result.out
    assert "Configure the route again" in result.out
    shown = json.loads((await ask("deliver", KEY, "--dry-run", "-o", "json")).out)
    assert shown["deliver"] is False
    assert (await ask("deliver", KEY, "--dry-run", "-o", "csv")).out.startswith("generation,slot")


async def test_who_is_who(ask: Asked) -> None:
    """The pinned pair, as a table and for machines."""
    await ask.world.put(holder())
    assert "mara.lind" in (await ask("identity", "show", KEY)).out
    shown = json.loads((await ask("identity", "show", KEY, "-o", "json")).out)
    assert shown["pinned"] == {"person": "mara.lind", "agreeing": "mara@example.com"}
    assert shown["conflicting"] is None


def seen(pinned: IdentityPair, conflicting: IdentityPair | None = None) -> State:
    return holder(identity=Identity(pinned=pinned, pinned_at=NOW, conflicting=conflicting))


EVE = IdentityPair(person="eve", agreeing="eve@example.com")


@pytest.mark.parametrize(("becomes", "code"), [(EVE, 0), (PAIR, 1)])
async def test_what_identity_show_prints_is_what_is_confirmed(
    ask: Asked, becomes: IdentityPair, code: int
) -> None:
    """The command says which pair; with ``--wait`` also if it was refused when it was applied."""
    await ask.world.put(seen(PAIR, EVE))
    shown = json.loads((await ask("identity", "show", KEY, "-o", "json")).out)["conflicting"]
    confirm = (*CONFIRM[:-1], shown["person"], "--agreeing", shown["agreeing"])

    async def work() -> None:
        if await ask.world.events():
            await ask.world.put(seen(becomes))
            await ask.world.read_all()

    async with meanwhile(ask, work):
        result = await ask(*confirm, "--wait")
    assert "Confirming eve, eve@example.com." in result.err
    assert result.code == code
    assert ("IDN-005" in result.err) == bool(code)


def test_no_service_answers(command: Command) -> None:
    """Exit code 6, with what to do."""
    result = command("status", "--socket", "missing.sock")
    assert (result.code, result.out) == (6, "")
    assert result.err.startswith("ADM-001 Service not reachable")
    assert "connecting to missing.sock: No such file or directory" in result.err
    assert "pki-connector serve" in result.err


def test_a_socket_of_somebody_else(command: Command, tmp_path: Path) -> None:
    """A file that is no socket is named with the reason."""
    (tmp_path / "admin.sock").write_text("")
    result = command("status", "--socket", str(tmp_path / "admin.sock"))
    assert (result.code, result.err.split()[0]) == (6, "ADM-001")
    assert "Connection refused" in result.err


@contextmanager
def as_another_user() -> Iterator[None]:
    """Root may read everything, so a run as root goes on as a user who may not."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(ANOTHER)
    try:
        yield
    finally:
        os.seteuid(0)


def test_what_may_not_be_read_is_told_with_a_code(command: Command, tmp_path: Path) -> None:
    """A socket of another user: denied; a settings' file of another user: named with the reason."""
    asked = ("status", "--socket", str(tmp_path / "closed" / "admin.sock"))
    settings = tmp_path / "connector.yaml"
    checked = ("config", "check", "--config", str(settings))
    for once in (asked, checked):  # loads modules, which the other user may not be able to read
        assert command(*once).code
    (tmp_path / "closed").mkdir(mode=0)
    settings.touch(mode=0)
    with as_another_user():
        socket, told = command(*asked), command(*checked)
    assert (socket.code, socket.err.split()[0]) == (5, "AUTH-004")
    assert (told.code, "CFG-003" in told.err) == (8, True)


def test_a_secret_is_no_argument(command: Command) -> None:
    """No option takes a password, key or code itself: only files that hold one."""
    for arguments in (("simulate", "uem"), ("simulate", "ca"), ("audit", "verify"), ("serve",)):
        page = command(*arguments, "--help").out
        options = [word for word in page.split() if word.startswith("--")]
        secret = [o for o in options if any(w in o for w in ("password", "secret", "key", "code"))]
        assert all(option.endswith("-file") for option in secret)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("service: {admin: {socket: [a]}}", "service.admin.socket is not the path of a socket"),
        ("service: {admin: a}", "service.admin is not a mapping"),
        ("service: [a]", "service is not a mapping"),
    ],
)
def test_a_socket_in_the_settings_that_is_none_is_told(
    command: Command, tmp_path: Path, text: str, told: str
) -> None:
    """Not another socket is asked, which may be another service's."""
    settings = tmp_path / "connector.yaml"
    settings.write_text(text)
    result = command("status", "--config", str(settings), "-o", "json")
    assert result.code == 8
    assert ("CFG-001" in result.err, told in " ".join(result.err.split())) == (True, True)
