"""A command line that cannot be understood."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
from typer.exceptions import TyperException

from connector.cli.root import app
from connector.cli.usage import refusal
from tests.cli.calls import Command

TREE = typer.main.get_command(app)
LIBRARY = ("Value error", "Input should", "%Y", "unable to parse", "pydantic")
WRONG = ("bogus", "-1", "0", "99999999999999999999", "")


def _leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, inner in getattr(command, "commands", {}).items():
        yield from _leaves(inner, (*path, name))
    if not hasattr(command, "commands"):
        yield " ".join(path), command


@pytest.mark.parametrize(("name", "leaf"), list(_leaves(TREE)), ids=lambda given: str(given)[:20])
def test_no_words_of_a_library_reach_a_person(name: str, leaf: Any) -> None:
    """For each option and argument; the command line is parsed, nothing is run."""
    options = [max(one.opts, key=len) for one in leaf.params if one.param_type_name == "option"]
    lines = [[f"{option}={value}"] for option in options for value in WRONG]
    lines += [[value] for value in WRONG] + [[value, value, value] for value in WRONG]
    for line in lines:
        try:
            leaf.make_context(name, line, resilient_parsing=False)
        except TyperException as error:
            told = refusal(error).detail
            assert told, line
            assert not any(words in told for words in LIBRARY), (line, told)
        except typer.Exit:
            continue


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("status", "--limit", "0"), "'--limit': must be at least 1"),
        (("status", "--limit", "many"), "'--limit': must be a whole number"),
        (("status", "bogus"), "'bogus' is not one of 'holder', 'device', 'delivery', 'person'"),
        (("status", "--nope"), "--nope"),
        (("deliver", "x", "--drop-generation", "zz", "--reason", "r"), "8 or more hexadecimal"),
        (("deliver", "x", "--drop-generation", "zz"), "needs a --reason"),
        (("dlq", "list", "--since", "yesterday"), "not a time like 2026-11-21"),
        (("pause",), "--reason"),
        (("retry",), "--code"),
        (("nothing-of-the-kind",), "nothing-of-the-kind"),
    ],
)
def test_what_cannot_be_understood_has_a_code(
    command: Command, arguments: tuple[str, ...], words: str
) -> None:
    """Exit code 2; one line with what is wrong, or one JSON document where that is asked for."""
    plain = command(*arguments)
    assert (plain.code, plain.out, plain.err.split()[0]) == (2, "", "EVT-007")
    assert words in plain.err.splitlines()[0]
    for form in (("-o", "json"), ("--output=json",)):
        result = command(*arguments, *form)
        assert (result.code, result.out, result.error) == (2, "", "EVT-007")
        told = json.loads(result.err)["error"]
        assert told.keys() == {"code", "title", "detail", "action"}


@pytest.mark.parametrize("arguments", [(), ("audit",)])
def test_without_a_command_there_is_help(command: Command, arguments: tuple[str, ...]) -> None:
    """With the exit code of a command line that is not complete."""
    result = command(*arguments)
    assert result.code == 2
    assert "Commands:" in result.err
    assert "EVT-007" not in result.err
