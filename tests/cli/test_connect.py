"""``config check --connect`` asks each upstream once, and touches no user and no key."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.calls import Command, Result
from tests.operators.upstreams import Upstreams, opened


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[Upstreams]:
    async with opened(tmp_path) as world:
        yield world


class Check:
    """The good settings with the addresses of the simulators, and the check of them."""

    def __init__(self, command: Command, file: Path, both: Upstreams) -> None:
        self._command = command
        self._file = file
        self.document: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
        for section, settings in both.settings.items():
            (upstream,) = self.document[section].values()
            upstream |= settings.model_dump(mode="json", exclude_unset=True)

    async def __call__(self, *arguments: str) -> Result:
        self._file.write_text(yaml.safe_dump(self.document), "utf-8")
        line = ("config", "check", "--connect", "--config", str(self._file), *arguments)
        return await asyncio.to_thread(self._command, *line)


@pytest.fixture
def check(command: Command, good: Path, both: Upstreams) -> Check:
    return Check(command, good, both)


async def test_upstreams_that_answer(check: Check, both: Upstreams) -> None:
    """Each is named; nothing was listed, no user was looked at, no key fetched."""
    before = len(await both.ca.ledger())
    result = await check()
    assert result.code == 0, result.err
    assert result.err.splitlines()[-2:] == ["ca:main: answers", "uem:corp: answers"]
    operations = {str(one.operation) for one in (await both.ca.ledger())[before:]}
    assert operations <= {"look"}
    assert not await both.touched_keys()


@pytest.mark.parametrize(
    ("section", "changes", "upstream", "code"),
    [
        ("uems", {"username": "somebody"}, "uem:corp", "UEM-401"),
        ("uems", {"address": "https://127.0.0.1:9"}, "uem:corp", "UEM-001"),
        ("cas", {"address": "https://127.0.0.1:9"}, "ca:main", "CA-001"),
    ],
)
async def test_an_upstream_that_does_not_answer_is_named(
    check: Check, section: str, changes: dict[str, str], upstream: str, code: str
) -> None:
    """With its code and what to do, exit code 8; the others are asked all the same."""
    (name,) = check.document[section]
    check.document[section][name] |= changes
    result = await check("-o", "json")
    answers = {one["upstream"]: one for one in json.loads(result.out)["upstreams"]}
    assert result.code == 8
    assert [name for name, one in answers.items() if one["code"]] == [upstream]
    assert answers[upstream]["code"] == code
    assert answers[upstream]["action"]
    assert f"[{code}]" in result.err
    assert "marker" not in result.out + result.err
