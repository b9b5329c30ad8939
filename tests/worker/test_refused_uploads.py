"""Uploads that meet a fault of the whole upstream, while looks and probes are answered."""

from itertools import pairwise

from connector.core.facts import Acted, HandedOver
from connector.core.handover import Refused
from connector.core.model import SECOND, SubjectKey
from connector.core.states import Effect, Running
from tests.worker.conftest import ROUTE, HeldEffects, Stage
from tests.worker.test_outages import REFUSED


class RefusedUploads(HeldEffects):
    """Every hand-over fetches its keys, and its upload meets a fault of the whole upstream."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.world)
        self._clock = stage.clock
        self.tried: list[float] = []

    async def act(self, key: SubjectKey, running: Running, deadline: float) -> Acted:
        if running.effect is not Effect.HAND_OVER:
            return await super().act(key, running, deadline)
        self.tried.append(self._clock.seconds)
        return HandedOver(running.attempt, Refused(fault=REFUSED, disclosed=2))


async def test_keys_are_fetched_more_and_more_rarely_though_looks_and_probes_are_answered(
    stage: Stage,
) -> None:
    """The breaker opens, the probe and the next look close it: it holds no hand-over back."""
    stage.effects = effects = RefusedUploads(stage)
    async with stage.running():
        await stage.enrol()
        await stage.until(lambda: len(effects.tried) > 7)
        assert (await stage.delivery()).attempts >= 7
    gaps = [later - one for one, later in pairwise(effects.tried)]
    assert min(gaps[-3:]) >= ROUTE.retry.cap / SECOND / 2
