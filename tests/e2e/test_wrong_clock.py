"""A journal that is far ahead of the clock, and a person who says that the clock is right."""

import time
from pathlib import Path
from typing import Any

import pytest

from connector.core.errors import Permanent
from connector.core.journal import Commit
from connector.core.model import DAY, HOUR, SECOND, Millis
from connector.journal.settings import SqliteSettings
from connector.journal.sqlite import SqliteJournal
from connector_testkit.demo.polling import until
from tests.e2e.records import agree
from tests.e2e.world import World

pytestmark = pytest.mark.slow

AHEAD = 300 * DAY
NOWHERE = "https://127.0.0.1:9"
UNREACHABLE: dict[str, Any] = {
    "uems": {"acme-uem": {"address": NOWHERE}},
    "cas": {"acme-ca": {"address": NOWHERE}},
}


async def move_ahead(file: Path, by: Millis) -> None:
    """Let the journal's newest time be one that a wrong clock gave."""
    lost: list[Permanent] = []
    settings = SqliteSettings(path=file, partitions=1)
    journal = SqliteJournal(settings, monotonic=time.monotonic, on_lost=lost.append)
    await journal.open()
    record = await journal.take_over(0)
    changes = {"commits": record.commits + 1, "time": record.time + by}
    await journal.commit(Commit(record=record.model_copy(update=changes)))
    await journal.close()


async def in_doubt(world: World) -> bool:
    shown = await world.connector.ask("status")
    return any(one["code"] == "CLK-002" for one in shown["conditions"])


async def known(world: World) -> bool:
    return not await in_doubt(world)


async def test_a_person_accepts_the_clock_and_all_goes_on(world: World) -> None:
    """What was put off by the wrong time is done in time, as soon as the upstreams answer."""
    alice, bob = await world.person("alice"), await world.person("bob")
    await world.enrol(alice)
    await world.completed(alice)
    await world.connector.stop()
    await move_ahead(world.journal_folder / "journal.sqlite", AHEAD)
    await world.back(UNREACHABLE)

    await until("the time is in doubt", lambda: in_doubt(world))
    device = await world.enrol(bob)

    async def put_off() -> bool:
        state = world.journal.device(device)
        late = time.time() * SECOND + AHEAD / 2
        return state is not None and state.wants != () and min(w.due for w in state.wants) > late

    await until("a look at the device is put off", put_off)
    await world.connector.ask("clock", "accept", "--reason", "compared with a radio clock")

    async def accepted() -> bool:
        (record,) = world.journal.records()
        near = abs(record.time - time.time() * SECOND) < HOUR
        return near and record.correction is None

    await until("the states are corrected", accepted)

    await until("the condition ends", lambda: known(world))
    await world.connector.stop()
    await world.back()
    await world.all_read()
    await world.completed(bob)
    actions = [record.entry.action for record in world.journal.audit()]
    steps = ["clock.stepped_back", "person.clock_accepted", "clock.states_corrected"]
    assert [one for one in actions if one in steps] == steps
    code, out = await world.connector.tell("audit", "verify")
    assert code == 0, out
    await agree(world)
