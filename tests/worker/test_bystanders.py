"""One subject in trouble holds up no other, in the embedded journal."""

from tests.worker.bystanders import (
    SICK,
    BystanderCases,
    TroubledEffects,
    as_in_service,
    serve_others,
)
from tests.worker.conftest import Stage


class TestBystanders(BystanderCases):
    async def test_others_are_served_beside_a_slow_one_at_the_lowest_rate(
        self, stage: Stage
    ) -> None:
        """Its look does not end; with one request a second there is a place for another."""
        effects = TroubledEffects(stage, "slow")
        stage.effects = effects
        stage.limits = as_in_service(stage, rate=1.0)
        async with stage.running():
            await stage.enrol(SICK)
            await stage.until(lambda: effects.met)
            await serve_others(stage)
            effects.trouble = ""
            effects.over.set()
