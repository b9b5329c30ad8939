"""Every end-to-end test gets its stages here, and each stage ends with the search for secrets."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.e2e.leaks import leaks
from tests.e2e.world import World


class Start(Protocol):
    """Starts a stage that lasts until the end of the test."""

    async def __call__(
        self,
        changes: Mapping[str, Any] | None = None,
        uem: Mapping[str, Any] | None = None,
        kind: type[World] = World,
    ) -> World: ...


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    worlds: list[World] = []
    async with AsyncExitStack() as stack:

        async def started(
            changes: Mapping[str, Any] | None = None,
            uem: Mapping[str, Any] | None = None,
            kind: type[World] = World,
        ) -> World:
            world = kind(tmp_path / f"stage-{len(worlds)}", changes, uem)
            worlds.append(await stack.enter_async_context(world))
            return world

        yield started
        for world in worlds:
            assert await leaks(world) == {}


@pytest.fixture
async def world(start: Start) -> World:
    return await start()
