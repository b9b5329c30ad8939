"""Routes that change while the service runs: all at once, or not at all."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.core.metric_definitions import CONFIG_LAST_RELOAD_SUCCESSFUL
from connector.settings.changes import ORDER, changes
from connector.settings.load import load
from connector.settings.model import Settings
from connector.settings.plugins import installed
from connector.wiring.conditions import Board
from connector.wiring.live_routes import LiveRoutes, Reading
from connector.wiring.reloading import Reloads
from tests.cli.good_settings import write_good
from tests.patience import PATIENCE
from tests.support.clocks import ManualClock
from tests.support.counted import Counted

Change = Callable[[dict[str, Any]], object]


class Mounted:
    """Settings that Kubernetes mounts: a link to ``..data``, which is swapped as a whole."""

    def __init__(self, folder: Path) -> None:
        self.document: dict[str, Any] = yaml.safe_load(write_good(folder).read_text())
        for name in ("service", "audit", "uems", "cas"):
            self.document[name] = absolute(self.document[name], folder)
        self._folder = folder / "mounted"
        self._folder.mkdir()
        self._version = 0
        self.file = self._folder / "settings.yaml"
        self.swap(lambda _: None)
        self.file.symlink_to("..data/settings.yaml")

    def swap(self, change: Change) -> None:
        change(self.document)
        self._version += 1
        inner = self._folder / f"..{self._version}"
        inner.mkdir()
        (inner / "settings.yaml").write_text(yaml.safe_dump(self.document))
        link = self._folder / "..data_tmp"
        link.symlink_to(inner.name)
        link.rename(self._folder / "..data")

    def load(self) -> Settings:
        return load(self.file, {}, installed())


def absolute(value: Any, folder: Path) -> Any:
    if isinstance(value, dict):
        return {
            name: str(folder / inner)
            if isinstance(inner, str) and (name.endswith("_file") or name == "socket")
            else absolute(inner, folder)
            for name, inner in value.items()
        }
    return value


class Stage:
    """What follows the file, and what it tells."""

    def __init__(self, folder: Path) -> None:
        self.mounted = Mounted(folder)
        self.metrics = Counted()
        self.board = Board(ManualClock(), self.metrics)
        reloads = Reloads(self.metrics, ManualClock())
        self.routes = LiveRoutes(self.mounted.load(), self.board, reloads)

    async def changed(self, change: Change) -> bool:
        await asyncio.to_thread(self.mounted.swap, change)
        return await self.routes.take_up(self.mounted.load)

    @property
    def codes(self) -> list[str]:
        return sorted(one.code for one in self.board.standing())


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def retention(document: dict[str, Any]) -> None:
    document["routes"]["staff"]["retention"] = "24h"


async def test_routes_are_replaced_as_a_whole(stage: Stage) -> None:
    """Who holds a snapshot keeps it; the next question has the new one."""
    before = stage.routes.snapshot()
    assert await stage.changed(retention)
    assert before["staff"].retention == 48 * 3_600_000
    assert stage.routes.snapshot()["staff"].retention == stage.routes["staff"].retention
    assert stage.routes["staff"].retention == 24 * 3_600_000
    assert stage.codes == []


async def test_a_bad_version_leaves_the_old_one(stage: Stage) -> None:
    """Said by a condition until the file is right again."""
    before = stage.routes.snapshot()
    assert not await stage.changed(lambda one: one["routes"]["staff"].update(uem="nowhere"))
    assert stage.routes.snapshot() is before
    assert stage.codes == ["CFG-008"]
    assert stage.metrics.of(CONFIG_LAST_RELOAD_SUCCESSFUL)[-1] == (0, ())
    assert await stage.changed(lambda one: one["routes"]["staff"].update(uem="corp"))
    assert stage.codes == []


async def test_what_needs_a_restart_is_named(stage: Stage) -> None:
    """Routes beside it are taken up, but not beside another UEM, which they were checked with."""

    def limits(document: dict[str, Any]) -> None:
        retention(document)
        document["worker"] = {"disclosure_ceiling": 7}

    assert await stage.changed(limits)
    assert stage.routes["staff"].retention == 24 * 3_600_000
    (condition,) = stage.board.standing()
    assert (condition.code, "worker.disclosure_ceiling" in condition.text) == ("CFG-009", True)

    def address(document: dict[str, Any]) -> None:
        document["uems"]["corp"]["address"] = "https://other.example.com"
        document["routes"]["staff"]["retention"] = "1h"

    assert await stage.changed(address)
    assert stage.routes["staff"].retention == 24 * 3_600_000
    assert stage.codes == ["CFG-009"]


async def test_the_file_is_followed_through_its_link(stage: Stage) -> None:
    """The folder is watched, because a watch on the file would stay with the old version."""
    taken, stop = asyncio.Event(), asyncio.Event()
    reading = Reading(stage.mounted.file, stage.mounted.load)
    following = asyncio.get_running_loop().create_task(
        stage.routes.follow(reading, taken.set, stop)
    )
    async with asyncio.timeout(PATIENCE):
        while not taken.is_set():
            await asyncio.to_thread(stage.mounted.swap, retention)
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await taken.wait()
    stop.set()
    await following
    assert stage.routes["staff"].retention == 24 * 3_600_000


def add_other(document: dict[str, Any]) -> None:
    other = deepcopy(document["routes"]["staff"]) | {"groups": ["other"]}
    document["routes"]["other"] = other


def test_the_order_of_routes_is_a_change(stage: Stage) -> None:
    """The first that fits is used."""
    stage.mounted.swap(add_other)
    before = stage.mounted.load()
    after = before.model_copy(update={"routes": dict(reversed(before.routes.items()))})
    assert changes(before, after).routes == (ORDER,)
    assert changes(before, before).all == ()
