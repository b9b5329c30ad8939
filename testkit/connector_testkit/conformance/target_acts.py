"""Cases of the target suite: deliveries and pushes, done once, with an honest outcome."""

import logging

import pytest

from connector.core.errors import Family, Scope
from connector.core.model import Generation, Slot
from connector.core.ports import Evidence, InstallQuestion, Target
from connector_testkit.conformance.target_child import Deliverer, Outcome
from connector_testkit.conformance.target_looks import NOBODY, PATIENCE
from connector_testkit.conformance.target_samples import PASSWORD, Sample, pairs, sample
from connector_testkit.conformance.target_world import TargetWorld, Trouble

FATE_UNKNOWN, FAILED = "UEM-002", "UEM-010"
REFUSED: dict[Trouble, tuple[Family, Scope]] = {
    Trouble.REFUSES_LOGIN: (Family.PERMANENT, Scope.UPSTREAM),
    Trouble.ASKS_TO_WAIT: (Family.TRANSIENT, Scope.UPSTREAM),
    Trouble.REDIRECTS: (Family.PERMANENT, Scope.SUBJECT),
}


def whole_set(number: int = 0) -> list[Sample]:
    """Signing, current encryption, two archived ones."""
    slots = (Slot.SIGNING, Slot.ENCRYPTION, Slot.ARCHIVED, Slot.ARCHIVED)
    return [sample(slot, number + place) for place, slot in enumerate(slots)]


def current(samples: list[Sample]) -> Generation:
    """The current encryption generation of a set."""
    return next(each.generation for each in samples if each.slot is Slot.ENCRYPTION)


def newest(evidence: Evidence) -> int | None:
    """The newest time at which the certificate was seen, or its installation confirmed."""
    (shown,) = evidence.devices
    times = (shown.certificate_seen_at, shown.install_confirmed_at)
    return max((time for time in times if time is not None), default=None)


class ActCases:
    """Deliveries run in a process of their own."""

    async def _deliver(
        self,
        world: TargetWorld,
        deliverer: Deliverer,
        holder: str,
        samples: list[Sample],
        *,
        patience: float = 10,
        obstructed: bool = False,
    ) -> Outcome:
        target, reference = world.target(patience), world.reference(patience)
        return await deliverer.deliver(target, reference, holder, samples, obstructed=obstructed)

    async def test_a_set_arrives_whole(self, world: TargetWorld, deliverer: Deliverer) -> None:
        holder, samples = await world.add_holder(), whole_set()
        outcome = await self._deliver(world, deliverer, holder, samples)
        assert (outcome.delivered, outcome.begun, outcome.fault) == (True, 1, None)
        assert outcome.server_time is not None
        assert await world.taken(holder) == [pairs(samples)]

    async def test_a_set_may_be_one_pair(self, world: TargetWorld, deliverer: Deliverer) -> None:
        holder, samples = await world.add_holder(), [sample(Slot.ENCRYPTION)]
        assert (await self._deliver(world, deliverer, holder, samples)).delivered
        assert await world.taken(holder) == [pairs(samples)]

    async def test_a_failed_preparation_sends_nothing(
        self, world: TargetWorld, deliverer: Deliverer
    ) -> None:
        holder = await world.add_holder()
        outcome = await self._deliver(world, deliverer, holder, whole_set(), obstructed=True)
        assert (outcome.obstructed, outcome.begun, outcome.fault) == (True, 1, None)
        assert await world.taken(holder) == []

    async def test_an_unknown_holder_is_a_clear_refusal(
        self, world: TargetWorld, deliverer: Deliverer
    ) -> None:
        outcome = await self._deliver(world, deliverer, NOBODY, whole_set())
        assert outcome.fault is not None
        assert outcome.fault.family is Family.PERMANENT
        assert outcome.fault.scope is Scope.SUBJECT

    @pytest.mark.parametrize("trouble", REFUSED)
    async def test_what_was_clearly_refused_is_not_called_unknown(
        self, world: TargetWorld, deliverer: Deliverer, trouble: Trouble
    ) -> None:
        holder = await world.add_holder()
        await world.disturb(trouble)
        outcome = await self._deliver(world, deliverer, holder, whole_set())
        await world.recover()
        assert outcome.fault is not None
        assert outcome.fault.code not in {FATE_UNKNOWN, FAILED}
        assert (outcome.fault.family, outcome.fault.scope) == REFUSED[trouble]
        assert outcome.fault.retry_after == (7 if trouble is Trouble.ASKS_TO_WAIT else None)
        assert await world.taken(holder) == []

    @pytest.mark.parametrize(
        "trouble", [Trouble.DOES_NOT_ANSWER, Trouble.BREAKS_OFF, Trouble.STALLS, Trouble.FAILS]
    )
    async def test_without_an_answer_the_fate_is_unknown(
        self, world: TargetWorld, deliverer: Deliverer, trouble: Trouble
    ) -> None:
        holder, samples = await world.add_holder(), whole_set()
        waits = trouble in {Trouble.DOES_NOT_ANSWER, Trouble.STALLS}
        await world.disturb(trouble)
        outcome = await self._deliver(
            world, deliverer, holder, samples, patience=5 * PATIENCE if waits else 10
        )
        await world.recover()
        assert outcome.fault is not None
        assert outcome.fault.family is Family.TRANSIENT
        fails = trouble is Trouble.FAILS
        assert outcome.fault.code in ({FATE_UNKNOWN, FAILED} if fails else {FATE_UNKNOWN})
        does = trouble in {Trouble.DOES_NOT_ANSWER, Trouble.BREAKS_OFF}
        assert await world.taken(holder) == ([pairs(samples)] if does else [])

    async def test_a_product_that_is_away_got_nothing(
        self, world: TargetWorld, deliverer: Deliverer
    ) -> None:
        await world.go_away()
        outcome = await self._deliver(world, deliverer, NOBODY, whole_set())
        assert outcome.begun == 0
        assert outcome.fault is not None
        assert outcome.fault.scope is Scope.UPSTREAM

    async def test_evidence_is_newer_than_the_upload(
        self, world: TargetWorld, deliverer: Deliverer
    ) -> None:
        holder = await world.add_holder()
        device = await world.add_device(holder)
        async with world.target() as target:
            first, second = whole_set(), whole_set(number=30)
            for samples in (first, second):
                await world.later()
                outcome = await self._deliver(world, deliverer, holder, samples)
                assert outcome.server_time is not None
                if samples is second:
                    shown = await self._look(world, target, holder, device, samples, 0)
                    assert shown is None or shown < outcome.server_time
                    await target.push(device, next(iter(world.profiles.values())))
                await world.installed(device, current(samples).fingerprint)
                seen = await self._look(world, target, holder, device, samples, outcome.server_time)
                assert seen is not None
                assert seen >= outcome.server_time

    async def _look(
        self,
        world: TargetWorld,
        target: Target,
        holder: str,
        device: str,
        samples: list[Sample],
        since: int,
    ) -> int | None:
        question = InstallQuestion(
            holder=holder,
            devices=(device,),
            profiles=world.profiles,
            platforms={},
            current=current(samples),
            since=since,
        )
        return newest(await target.look_installed(question))

    async def test_a_push_may_be_repeated(self, world: TargetWorld) -> None:
        device = await world.add_device(await world.add_holder())
        profile = next(iter(world.profiles.values()))
        async with world.target() as target:
            if not target.capabilities.push:
                pytest.skip("declared: the target cannot push a profile")
            for _ in range(2):
                await target.push(device, profile)

    async def test_the_copy_is_told_where_it_can_be(
        self, world: TargetWorld, deliverer: Deliverer
    ) -> None:
        holder = await world.add_holder()
        async with world.target() as target:
            told = target.capabilities.reads_copy_back
            assert (await self._deliver(world, deliverer, holder, whole_set())).delivered
            assert (await target.look_gone(holder)).copy_present is (True if told else None)
            await world.forget(holder)
            assert (await target.look_gone(holder)).copy_present is (False if told else None)

    async def test_secrets_stay_inside(
        self,
        world: TargetWorld,
        capfd: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        holder, samples = await world.add_holder(), whole_set()
        with Deliverer() as deliverer:
            accepted = await self._deliver(world, deliverer, holder, samples)
            await world.disturb(Trouble.REFUSES_LOGIN)
            refused = await self._deliver(world, deliverer, holder, samples)
            shown = [deliverer.end(), repr(world.target())]
        shown += [accepted.model_dump_json(), refused.model_dump_json()]
        shown += [caplog.text, *capfd.readouterr()]
        payload = samples[0].as_json()["pkcs12"]
        for marker in (*world.secrets, PASSWORD, payload[:48], payload[-48:]):
            assert not any(marker in text for text in shown), "a secret came to light"
