"""The number of series depends on the settings, never on how many users there are."""

from pathlib import Path

import pytest

from connector.observe.labels import Names
from connector.observe.metrics import Build, PrometheusMetrics
from connector.wiring.gauges import Gauges
from tests.observe.test_metrics import samples
from tests.support.counted import source_capabilities
from tests.worker.conftest import Stage

HOLDERS = 1000
NAMES = Names(
    targets=("acme",),
    backends=("ca:acme-ca", "uem:acme"),
    partitions=1,
    sources=source_capabilities(),
)


class Counting(Stage):
    """A stage whose worker and limits publish to one registry."""

    def __init__(self, folder: Path) -> None:
        self.published = PrometheusMetrics(NAMES, Build("1.0", "abc", "3.11"))
        super().__init__(folder, metrics=self.published)

    async def delivered(self, users: int) -> set[str]:
        """Enrol that many users, wait for all their keys; the series that there are then."""
        already = len(self.world.uploads)
        for number in range(already, already + users):
            await self.enrol(str(number))
        await self.until(lambda: len(self.world.uploads) == already + users)
        gauges = Gauges(self.journal, self.published, self.clock, self.clock.now, self.routes)
        await gauges.publish()
        return {f"{name}{labels}" for name, labels, _ in samples(self.published.registry)}


@pytest.mark.slow
async def test_a_thousand_holders_add_no_series(tmp_path: Path) -> None:
    """Each is enrolled, looked up and served; the scrape has as many series as after the first."""
    stage = Counting(tmp_path)
    await stage.journal.open()
    async with stage.running():
        few = await stage.delivered(3)
        many = await stage.delivered(HOLDERS)
    await stage.journal.close()
    assert many - few == set()
    assert len(few) > 500
