"""What the documentation tells people to type works as it is printed."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from connector.cli.root import app
from connector_testkit.demo.ports import free_port
from tests.conftest import Needs
from tests.docs.pages import PAGES, ROOT, blocks, commands, section
from tests.patience import PATIENCE

WHOLE_BLOCK = 2 * PATIENCE
STAGE = "docs/simulators.md"
TREE = typer.main.get_command(app)


def _known(command: str) -> set[str]:
    """The options of the command that a line names.

    Raises:
        KeyError: when a sub-command is named that does not exist.
    """
    found = TREE
    for word in command.split()[1:]:
        if not hasattr(found, "commands") or word == "COMMAND" or word.startswith("-"):
            break
        found = found.commands[word]
    options = {name for one in found.params for name in one.opts}
    return options | {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_exists(page: Path) -> None:
    """Each command of a page, in blocks and in running text, has the options that it is given."""
    for command in commands(page.read_text("utf-8")):
        used = set(re.findall(r"(?<=\s)(--[a-z-]+|-[a-z])\b", command))
        assert used <= _known(command), command


def _leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, set[str]]]:
    """Each command that does something, with the long names of its options."""
    for name, inner in getattr(command, "commands", {}).items():
        yield from _leaves(inner, (*path, name))
    if not hasattr(command, "commands"):
        options = (one for one in command.params if one.param_type_name == "option")
        yield " ".join(path), {max(one.opts, key=len) for one in options}


def _described(name: str) -> str:
    """The lines of the page of commands that are about one."""
    rows = (ROOT / "docs/cli.md").read_text("utf-8").splitlines()
    return "\n".join(row for row in rows if re.match(r"\| `", row) and f"`{name}" in row)


LEAVES = dict(_leaves(TREE))


@pytest.mark.parametrize("name", sorted(LEAVES))
def test_every_command_is_on_the_page(name: str) -> None:
    """With every option that not all of them have; those of simulators have a page of their own."""
    table = section("docs/cli.md", "Options that all have")
    shared = {*re.findall(r"--[a-z]+", table), "--help"}
    told = _described(name)
    assert told, name
    if not name.startswith("simulate "):
        assert LEAVES[name] - shared <= set(re.findall(r"--[a-z-]+", told)), name


def _script() -> str:
    """The stage by hand, and on it what README and runbook say, up to the stage's end."""
    stage = section(STAGE, "A stage by hand")
    first, second, *steps, end = blocks(stage, "sh")
    (settings,) = blocks(stage, "yaml")
    operate = blocks(section("README.md", "Operate"), "")[0]
    trail = blocks(section("docs/operation.md", "The audit trail"), "")
    (export,) = [block for block in trail if "> trail.ndjson" in block]
    person = blocks(section("docs/personal-data.md", "Export for one person"), "")[0]
    file = f"cat > stage.yaml <<'END'\n{settings}END\n"
    parts = (first, second, file, *steps, "AUDIT_KEY=secrets/audit-key\n", operate, export)
    return "".join((*parts, person, end))


def _moved(script: str) -> str:
    """The same on ports that are free here."""
    ports = {port: str(free_port()) for port in sorted(set(re.findall(r"\b41\d{3}\b", script)))}
    return re.sub(r"\b41\d{3}\b", lambda found: ports[found.group()], script)


@pytest.mark.slow
async def test_the_stage_by_hand(tmp_path: Path, needs: Needs) -> None:
    """Typed into a shell in an empty folder, every line succeeds and the old mail is read."""
    for tool in ("bash", "curl", "openssl"):
        needs(tool)
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "LC_ALL") if name in os.environ}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    process = await asyncio.create_subprocess_exec(
        *("bash", "-m", "-euo", "pipefail", "-c"),
        "trap 'kill $(jobs -p) 2> /dev/null || :' EXIT\n" + _moved(_script()),
        cwd=tmp_path,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**kept, "PATH": path},
    )
    output = asyncio.create_task(process.communicate())
    await asyncio.wait([output], timeout=WHOLE_BLOCK)
    if process.returncode is None:
        process.terminate()  # its trap ends the jobs, so that the output comes to an end
    out, _ = await output
    told = out.decode()
    assert process.returncode == 0, told
    assert "Traceback" not in told
    for expected in ('"status":200', '"plaintext":"long ago', "installed", "whole"):
        assert expected in told
    records = (tmp_path / "stage" / "records.ndjson").read_text("utf-8").splitlines()
    assert {json.loads(line)["entry"]["subject"] for line in records} == {
        *("acme-uem/user/12", "acme-uem/device/15", "acme-ca/person/alice")
    }
    assert '"event":"service.ready"' in (tmp_path / "stage" / "serve.log").read_text("utf-8")
