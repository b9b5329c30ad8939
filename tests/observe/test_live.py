"""A real Prometheus watches real processes: alerts fire and are resolved, and panels show data.

`make observe-test` runs it alone. It waits most of its minute and a half, because a process counts
dead letters, copies and those who need an operator every 15 s.
"""

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connector_testkit.demo.people import GENERATIONS, Actor, employ
from connector_testkit.demo.polling import until
from connector_testkit.demo.processes import Process
from connector_testkit.demo.stage import Stage
from connector_testkit.simulators.tls import issue_tls
from tests.conftest import Needs
from tests.observe.pictures import Course, draw
from tests.observe.prometheus import Prometheus
from tests.observe.rendered import groups, queries
from tests.patience import PATIENCE

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("program", "figures")]
"""Looked for before anything is started."""

BUILD = Path(__file__).parents[2] / "build"
SOON = {"for": "0s"}
ANY_TIME = {"fromHour": 0, "toHour": 24, "fromDay": 0, "toDay": 6}
RULE: dict[str, Any] = {
    "interval": "1s",
    "thresholds": {
        "down": {"for": "2s"},
        "noWebhooks": {**SOON, **ANY_TIME, "window": "25s"},
        "dlqNotEmpty": SOON,
        "copyOverdue": {**SOON, "window": "10s"},
        "backendDown": {"for": "2s", "window": "12s", "failures": 1},
        "ownCredentialExpiring": {**SOON, "renewedWithin": "2s", "resolution": "1s"},
    },
}
CHANGES: dict[str, Any] = {
    "cas": {"acme-ca": {"connect_timeout": 2, "timeout": 2}},
    "uems": {"acme-uem": {"connect_timeout": 2, "timeout": 2}},
    "routes": {"staff": {"overdue_after": "2s", "automatic_per_day": 1000}},
}
"""Laid over the demo's settings: what takes hours in service takes seconds."""


class Watched(Stage):
    """The stage of the demo; its processes can be stopped for a while."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, CHANGES)
        self.children: dict[str, Process] = {}

    async def _keep(self, process: Process) -> Process:
        self.children[process.name] = process
        return await super()._keep(process)

    async def enrol(self, actor: Actor) -> None:
        """Enrol a device of a user."""
        actor.devices.append(await self.uem.enrol(actor.user, name=f"{actor.name}'s phone"))

    @property
    def observed(self) -> int:
        """The port of the metrics."""
        port: int = self.connector.settings["service"]["observe"]["listen"]["port"]
        return port

    def bury(self) -> None:
        """Put a record that no version can read among the events; the service must be stopped."""
        with sqlite3.connect(self.written / "journal" / "journal.sqlite") as connection:
            (last,) = connection.execute("SELECT max(position) FROM events").fetchone()
            row = (last + 1, 0, "unreadable", int(time.time() * 1000), b"not an event")
            connection.execute(
                "INSERT INTO events (position, partition, id, at, event) VALUES (?, ?, ?, ?, ?)",
                row,
            )
        connection.close()


@pytest.fixture
def program(needs: Needs) -> str:
    """The path of Prometheus."""
    return needs("prometheus")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Watched]:
    async with Watched(tmp_path / "stage") as stage:
        yield stage


@pytest.fixture
async def prometheus(stage: Watched, tmp_path: Path, program: str) -> AsyncIterator[Prometheus]:
    folder = tmp_path / "prometheus"
    folder.mkdir()
    rules = await asyncio.to_thread(groups, folder, RULE)
    async with AsyncExitStack() as stack:
        watching = Prometheus(program, folder, rules, [stage.observed])
        yield await stack.enter_async_context(watching)


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What draws; it keeps a list of fonts, which takes seconds to make."""
    monkeypatch.setenv("MPLCONFIGDIR", str(BUILD / "matplotlib"))
    return pytest.importorskip("matplotlib.figure")


async def ca_down(stage: Watched, prometheus: Prometheus, actor: Actor) -> None:
    """The CA hangs while a device enrols."""
    ca = stage.children["ca"].pid
    os.kill(ca, signal.SIGSTOP)
    try:
        await stage.enrol(actor)
        await prometheus.fires("BackendDown", PATIENCE)
    finally:
        os.kill(ca, signal.SIGCONT)
    await prometheus.resolves("BackendDown", PATIENCE)


async def copy_overdue(stage: Watched, prometheus: Prometheus, actor: Actor) -> None:
    """The UEM hangs once it has a copy, so that nothing shows that the copy is gone."""
    uploads = len(await stage.uem.ledger("upload"))
    await stage.enrol(actor)

    async def uploaded() -> bool:
        return len(await stage.uem.ledger("upload")) > uploads

    await until("the keys are uploaded", uploaded)
    uem = stage.children["uem"].pid
    os.kill(uem, signal.SIGSTOP)
    try:
        await prometheus.fires("CopyOverdue", PATIENCE)
    finally:
        os.kill(uem, signal.SIGCONT)
    await prometheus.resolves("CopyOverdue", PATIENCE)


async def dead_letter(stage: Watched, prometheus: Prometheus) -> None:
    """A record that cannot be read is found at a start, and an operator drops it."""
    await stage.connector.stop()
    await prometheus.fires("Down", PATIENCE)
    stage.bury()
    await stage.connector.start()
    await stage.connector.ready()
    await prometheus.resolves("Down", PATIENCE)
    await prometheus.fires("DlqNotEmpty", PATIENCE)
    await stage.connector.ask("dlq", "drop", "--all", "--reason", "test")
    await prometheus.resolves("DlqNotEmpty", PATIENCE)


async def certificate_ends(stage: Watched, prometheus: Prometheus) -> None:
    """A certificate is mounted that ends in three days, and then a better one."""
    folder = stage.secrets.tls.certificate.parent
    await asyncio.to_thread(issue_tls, folder, ends=datetime.now(UTC) + timedelta(days=3))
    await prometheus.fires("OwnCredentialExpiring", PATIENCE)
    await asyncio.to_thread(issue_tls, folder)
    await prometheus.resolves("OwnCredentialExpiring", PATIENCE)
    await stage.aim_uem(stage.connector)


async def webhooks_stop(stage: Watched, prometheus: Prometheus, actor: Actor) -> None:
    """Nothing comes for a while, and then something."""
    await prometheus.fires("NoWebhooks", PATIENCE)
    await stage.enrol(actor)
    await prometheus.resolves("NoWebhooks", PATIENCE)


async def panels(prometheus: Prometheus, figures: Any, start: float) -> None:
    """Every query of the dashboard has values; a picture of each panel is left."""
    end = time.time()
    shown: dict[str, Course] = {}
    for query in queries():
        course = await prometheus.course(query.text, query.legend, start, end)
        assert course, f"no values: {query}"
        shown[query.panel] = {**shown.get(query.panel, {}), **course}
    await asyncio.to_thread(draw, figures.Figure, shown, start, BUILD / "dashboard")


async def test_alerts_and_dashboard_of_a_living_service(
    stage: Watched, prometheus: Prometheus, figures: Any
) -> None:
    """Faults are made one after the other; each is seen, and is over when it was mended."""
    start = time.time()
    actors = [await employ(stage, name, GENERATIONS["alice"]) for name in ("ada", "ben", "cleo")]
    await stage.enrol(actors[0])
    await stage.connector.ask("journal", "backup", str(stage.aside / "backup.sqlite"))
    await prometheus.answers("sum(pki_connector_enrolment_to_ready_seconds_count) > 0", PATIENCE)
    await prometheus.quiet(PATIENCE)
    await ca_down(stage, prometheus, actors[1])
    await copy_overdue(stage, prometheus, actors[2])
    await dead_letter(stage, prometheus)
    await certificate_ends(stage, prometheus)
    await webhooks_stop(stage, prometheus, actors[0])
    await panels(prometheus, figures, start)
