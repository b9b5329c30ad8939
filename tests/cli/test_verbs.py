"""The table of verbs: what the service answers, what commands ask, and what the page says of it."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.main
from typer.testing import CliRunner

import connector.cli
from connector.cli.options import Call, World, asking
from connector.cli.root import app
from connector.operators.verbs.status import OVERVIEW, VERSION
from connector.operators.verbs.table import VERBS, AnyVerb, by_route
from connector.operators.verbs.verb import Method, Nothing
from tests.docs.pages import ROOT
from tests.operators.world import AdminWorld

TREE = typer.main.get_command(app)


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, list[AnyVerb]]]:
    """Each command that does something, with the verbs that it declares."""
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*path, name))
    if not hasattr(command, "commands"):
        yield " ".join(path), list(getattr(command.callback, "verbs", ()))


BY_COMMAND = dict(commands(TREE))


def test_the_service_answers_every_verb(tmp_path: Path) -> None:
    """And none that is not in the table."""
    assert AdminWorld(tmp_path).service().handlers().verbs == set(VERBS)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_a_verb_has_a_command_on_the_page(verb: AnyVerb) -> None:
    """Or says why there is none."""
    using = [name for name, verbs in BY_COMMAND.items() if verb in verbs]
    assert bool(using) is not bool(verb.no_command)
    rows = re.findall(r"^\| `.*", (ROOT / "docs/cli.md").read_text("utf-8"), re.MULTILINE)
    for name in using:
        assert any(f"`{name}" in row for row in rows), name


def test_verbs_are_told_apart() -> None:
    """By name; at one address by ``act``. What acts is never asked by GET."""
    assert len({verb.name for verb in VERBS}) == len(VERBS)
    assert not [verb.name for verb in VERBS if verb.acts and verb.method is Method.GET]
    for verbs in by_route().values():
        kinds = [verb.takes.model_fields["act"].default for verb in verbs if len(verbs) > 1]
        assert len(set(kinds)) == len(kinds)


def test_every_model_has_a_schema() -> None:
    """From which a description of the interface can be made."""
    for verb in VERBS:
        assert verb.takes.model_json_schema()["type"] == "object", verb.name
        assert verb.gives.model_json_schema(mode="serialization")["type"] == "object", verb.name


def test_commands_reach_the_service_only_by_their_verbs() -> None:
    """One place makes the client, from the verbs that the command declares."""
    folder = Path(inspect.getfile(connector.cli)).parent
    making = [
        file.name for file in folder.glob("*.py") if "AdminClient(" in file.read_text("utf-8")
    ]
    assert making == ["options.py"]


def test_a_verb_that_a_command_does_not_declare_is_not_asked(tmp_path: Path) -> None:
    """So what a command declares is true."""

    @asking(VERSION)
    def curious(call: Call) -> None:
        call.ask(OVERVIEW, Nothing())

    asked = typer.Typer()
    asked.command()(curious)
    given = ["--socket", str(tmp_path / "none.sock")]
    result = CliRunner().invoke(asked, given, obj=World({}, str))
    assert isinstance(result.exception, LookupError)
    assert "overview" in str(result.exception)
