"""An act of several parts: one that is refused keeps no other waiting."""

from collections.abc import Mapping

import pytest

from connector.core.errors import ConnectorError, Permanent, Scope, Transient
from connector.worker.effects import apply_to_all

PARTS = ("a", "b", "c")


async def tried(failing: Mapping[str, ConnectorError]) -> tuple[list[str], list[str], str | None]:
    """Which parts were tried, which were done, and the code of what was raised."""
    asked: list[str] = []
    done: list[str] = []

    async def act(part: str) -> None:
        asked.append(part)
        if part in failing:
            raise failing[part]

    try:
        await apply_to_all(PARTS, act, done)
    except ConnectorError as error:
        return asked, done, error.code
    return asked, done, None


async def test_all_are_done() -> None:
    assert await tried({}) == ([*PARTS], [*PARTS], None)


async def test_the_first_refusal_is_told_after_all_were_tried() -> None:
    refused = {"a": Permanent("UEM-404"), "b": Permanent("UEM-400")}
    assert await tried(refused) == ([*PARTS], ["c"], "UEM-404")


@pytest.mark.parametrize(
    "error", [Transient("UEM-001"), Permanent("UEM-401", scope=Scope.UPSTREAM)]
)
async def test_what_would_fail_for_all_ends_it(error: ConnectorError) -> None:
    assert await tried({"b": error}) == (["a", "b"], ["a"], error.code)
