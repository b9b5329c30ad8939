"""``config diff``: what another settings file would change."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.core.states import Brakes, Phase
from tests.cli.calls import Asked, Command
from tests.operators.world import holder

Document = dict[str, Any]


@pytest.fixture
def changed(good: Path) -> Callable[[Callable[[Document], object]], Path]:
    """The good settings with a change, in a file beside them."""

    def make(change: Callable[[Document], object]) -> Path:
        document = yaml.safe_load(good.read_text())
        change(document)
        file = good.with_name("new.yaml")
        file.write_text(yaml.safe_dump(document, sort_keys=False))
        return file

    return make


Changed = Callable[[Callable[[Document], object]], Path]


def split(document: Document) -> None:
    """Two routes instead of the one for all."""
    staff = document["routes"].pop("staff")
    document["routes"]["it"] = deepcopy(staff) | {"groups": ["ops"]}
    document["routes"]["mail"] = deepcopy(staff) | {"mail_domains": ["example.com"]}


def found(command: Command, good: Path, new: Path) -> dict[str, Document]:
    result = command("config", "diff", str(new), "--config", str(good), "-o", "json")
    assert result.code == 0, result.err
    return {one["setting"]: one for one in json.loads(result.out)["changes"]}


def test_routes_are_taken_up_and_other_settings_need_a_restart(
    command: Command, good: Path, changed: Changed
) -> None:
    """Brakes are marked; each setting has its old and new value."""

    def change(document: Document) -> None:
        document["routes"]["staff"] |= {"retention": "24h", "mode": "observe"}
        document["worker"] = {"disclosure_ceiling": 7}

    told = found(command, good, changed(change))
    assert told == {
        name: {"setting": name, "old": old, "new": new, "brake": brake, "restart": restart}
        for name, old, new, brake, restart in (
            ("routes.staff.mode", "deliver", "observe", True, False),
            ("routes.staff.retention", "2d", "1d", False, False),
            ("worker.disclosure_ceiling", "1000", "7", True, True),
        )
    }
    table = command("config", "diff", str(good.with_name("new.yaml")), "--config", str(good))
    assert "at a restart" in table.out
    assert table.err == "3 setting(s) differ; 1 of them need a restart.\n"


def test_beside_another_upstream_routes_need_a_restart(
    command: Command, good: Path, changed: Changed
) -> None:
    """The routes were checked with it. The order of routes counts, too."""

    def change(document: Document) -> None:
        split(document)
        document["uems"]["corp"]["rate"] = 3

    told = found(command, good, changed(change))
    assert (told["uems.corp.rate"]["brake"], told["uems.corp.rate"]["new"]) == (True, "3.0")
    assert told["routes (their order)"]["new"] == "it, mail"
    assert told["routes.staff.uem"]["new"] is None
    assert all(one["restart"] for one in told.values())


def test_equal_files_differ_in_nothing(command: Command, good: Path, changed: Changed) -> None:
    """The same settings in another file, and as CSV a heading only."""
    same = changed(lambda _: None)
    assert found(command, good, same) == {}
    csv = command("config", "diff", str(same), "--config", str(good), "-o", "csv")
    assert csv.out.split() == ["setting,now,new,brake,taken", "up"]


def test_a_file_that_is_refused_is_told_like_by_a_check(
    command: Command, good: Path, changed: Changed
) -> None:
    """Exit code 8, and nothing is compared."""
    new = changed(lambda one: one["routes"]["staff"].update(uem="nowhere"))
    result = command("config", "diff", str(new), "--config", str(good))
    assert (result.code, result.out) == (8, "")
    assert f"{new}:" in result.err
    assert "routes.staff.uem names no entry of uems" in result.err


async def test_holders_are_named_by_id_alone(ask: Asked, good: Path, changed: Changed) -> None:
    """Those who may get another route, with what becomes of an open delivery."""
    await ask.world.put(holder(12), holder(13, Phase.COMPLETED), holder(14, mail="b@else.org"))
    await ask.world.brake(Brakes(routes_paused=frozenset({"staff"})))
    command = ("config", "diff", str(changed(split)), "--config", str(good), "--holders")
    result = await ask(*command, "-o", "json")
    assert "PAUSED route staff" in result.err
    assert "mara" not in result.out
    told = json.loads(result.out)["holders"]
    assert (told["served"], told["moving"]) == ({"staff": 3}, 3)
    rows = [tuple(row.values()) for row in told["moves"]]
    assert rows == [
        ("corp/user/12", "staff", ["it", "mail"], "awaiting_install", "USR-007"),
        ("corp/user/13", "staff", ["it", "mail"], "", None),
        ("corp/user/14", "staff", ["it", None], "awaiting_install", "USR-007"),
    ]
    table = await ask(*command, "--limit", "1")
    assert "it or mail" in table.out
    assert "corp/user/13" not in table.out
    assert table.err.splitlines()[-2:] == [
        "Route staff changes; it serves 3 holder(s).",
        "3 in all (--limit).",
    ]
    csv = await ask(*command, "-o", "csv")
    assert csv.out.splitlines()[0] == "holder,route,may become,delivery,code"


async def test_holders_who_keep_their_route_are_not_listed(
    ask: Asked, good: Path, changed: Changed
) -> None:
    """They are counted where the route itself changes."""
    await ask.world.put(holder(12))
    new = changed(lambda one: one["routes"]["staff"].update(retention="1h"))
    result = await ask("config", "diff", str(new), "--config", str(good), "--holders", "-ojson")
    told = json.loads(result.out)["holders"]
    assert told == {"served": {"staff": 1}, "moving": 0, "moves": []}


def test_without_a_service_holders_are_not_known(
    command: Command, good: Path, changed: Changed
) -> None:
    """Asked for, they are an error; the comparison itself needs no service."""
    new = str(changed(lambda _: None))
    assert command("config", "diff", new, "--config", str(good), "--holders").code == 6
    assert command("config", "diff", new, "--config", str(good)).code == 0
