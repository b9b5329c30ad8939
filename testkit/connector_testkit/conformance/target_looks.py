"""Cases of the target suite: what looks show, and what they must not show."""

import asyncio
from collections.abc import Awaitable

import pytest

from connector.core.errors import ConnectorError, Family, Scope
from connector.core.model import ProfileStatus, Slot
from connector.core.ports import InstallQuestion
from connector_testkit.conformance.target_samples import sample
from connector_testkit.conformance.target_world import TargetWorld, Trouble, failure

PATIENCE = 0.3
NOBODY = "987654321"
TRICKS = ("", ".", "..", "*", "%", "1 or 1=1", "12/../13", "12?a=b", "\u0661\u0662", "-1", "0")

ALL, ONE, EITHER = {Scope.UPSTREAM}, {Scope.SUBJECT}, set(Scope)
"""Whom a trouble may concern. One answer that fails or stays out may be the one resource's fault or
general; the target decides which of them it is counted as."""

OUTCOMES: dict[Trouble, tuple[Family, set[Scope]]] = {
    Trouble.REFUSES_LOGIN: (Family.PERMANENT, ALL),
    Trouble.ASKS_TO_WAIT: (Family.TRANSIENT, ALL),
    Trouble.FAILS: (Family.TRANSIENT, EITHER),
    Trouble.TALKS_NONSENSE: (Family.PERMANENT, ONE),
    Trouble.TALKS_TOO_MUCH: (Family.PERMANENT, ONE),
    Trouble.REDIRECTS: (Family.PERMANENT, ONE),
    Trouble.BREAKS_OFF: (Family.TRANSIENT, ALL),
    Trouble.STALLS: (Family.TRANSIENT, EITHER),
}


def question(world: TargetWorld, holder: str, *devices: str) -> InstallQuestion:
    """Whether a new certificate arrived, since the beginning of time."""
    return InstallQuestion(
        holder=holder,
        devices=devices,
        profiles=world.profiles,
        platforms={},
        current=sample(Slot.ENCRYPTION).generation,
        since=0,
    )


async def refusal(look: Awaitable[object]) -> ConnectorError | None:
    """What a look raises; if it raises nothing, it must not have found a user."""
    try:
        found = await look
    except ConnectorError as error:
        return error
    assert found is None, "found a user who was not asked for"
    return None


class LookCases:
    """Looks may be repeated freely and change nothing."""

    async def test_a_device_is_found_and_whose_it_is(self, world: TargetWorld) -> None:
        holder = await world.add_holder()
        device = await world.add_device(holder)
        async with world.target() as target:
            facts = await target.look_up_device(device)
        assert facts is not None
        assert (facts.id, facts.holder, facts.enrolled) == (device, holder, True)

    async def test_a_holder_is_found_with_all_his_devices(self, world: TargetWorld) -> None:
        holder = await world.add_holder()
        devices = {await world.add_device(holder) for _ in range(3)}
        async with world.target() as target:
            facts = await target.look_up(holder, world.profiles)
        assert facts is not None
        assert facts.id == holder
        assert {device.id for device in facts.devices} == devices
        assert {device.holder for device in facts.devices} == {holder}

    async def test_devices_of_others_are_not_his(self, world: TargetWorld) -> None:
        holder, other = await world.add_holder(), await world.add_holder()
        await world.add_device(other)
        moved = await world.add_device(holder)
        await world.give_device(moved, other)
        async with world.target() as target:
            facts = await target.look_up(holder, world.profiles)
            device = await target.look_up_device(moved)
        assert facts is not None
        assert facts.devices == ()
        assert device is not None
        assert device.holder == other

    async def test_a_device_that_left_is_not_enrolled(self, world: TargetWorld) -> None:
        holder = await world.add_holder()
        device = await world.add_device(holder)
        await world.remove_device(device)
        async with world.target() as target:
            facts = await target.look_up_device(device)
            evidence = await target.look_installed(question(world, holder, device))
        assert facts is None or not facts.enrolled
        assert [each.enrolled for each in evidence.devices] == [False]

    async def test_a_user_is_found_by_name_and_by_nothing_less(self, world: TargetWorld) -> None:
        holder = await world.add_holder()
        async with world.target() as target:
            facts = await target.look_up(holder, world.profiles)
            assert facts is not None
            for text in (facts.name, facts.name.upper(), facts.mail):
                assert await target.find_users(text) == (holder,)
            for text in (facts.name[:-1], f"{facts.name}x", NOBODY, "*", "%", "a&b=c"):
                assert holder not in await target.find_users(text)

    async def test_who_is_not_there_is_none(self, world: TargetWorld) -> None:
        async with world.target() as target:
            assert await target.look_up(NOBODY, world.profiles) is None
            assert await target.look_up_device(NOBODY) is None

    @pytest.mark.parametrize("trick", TRICKS)
    async def test_an_identifier_is_no_pattern(self, world: TargetWorld, trick: str) -> None:
        await world.add_device(await world.add_holder())
        async with world.target() as target:
            for look in (target.look_up(trick, world.profiles), target.look_up_device(trick)):
                error = await refusal(look)
                if error is not None:
                    assert (error.family, error.scope) == (Family.PERMANENT, Scope.SUBJECT)

    async def test_without_an_upload_the_profile_is_not_installed(self, world: TargetWorld) -> None:
        holder = await world.add_holder()
        device = await world.add_device(holder)
        async with world.target() as target:
            evidence = await target.look_installed(question(world, holder, device))
        (shown,) = evidence.devices
        assert shown.profile is not ProfileStatus.INSTALLED
        assert (shown.certificate_seen_at, shown.install_confirmed_at) == (None, None)

    async def test_every_look_tells_the_clock_of_the_product(self, world: TargetWorld) -> None:
        holder = await world.add_holder()
        device = await world.add_device(holder)
        async with world.target() as target:
            gone = await target.look_gone(holder)
            evidence = await target.look_installed(question(world, holder, device))
        assert gone.server_time is not None
        assert evidence.server_time is not None

    @pytest.mark.parametrize("trouble", OUTCOMES)
    async def test_trouble_with_a_look_has_family_and_scope(
        self, world: TargetWorld, trouble: Trouble
    ) -> None:
        holder = await world.add_holder()
        device = await world.add_device(holder)
        await world.disturb(trouble)
        async with world.target(PATIENCE if trouble is Trouble.STALLS else 10) as target:
            for look in (
                target.probe(),
                target.look_up_device(device),
                target.look_up(holder, world.profiles),
                target.look_installed(question(world, holder, device)),
                target.look_gone(holder),
            ):
                error = await failure(look)
                family, scopes = OUTCOMES[trouble]
                assert error.family is family
                assert error.scope in scopes
                assert (error.upstream is None) == (error.scope is Scope.SUBJECT)
                assert error.retry_after == (7 if trouble is Trouble.ASKS_TO_WAIT else None)

    async def test_a_product_that_is_there_answers_a_probe(self, world: TargetWorld) -> None:
        async with world.target() as target:
            await target.probe()

    async def test_trouble_passes(self, world: TargetWorld) -> None:
        holder = await world.add_holder()
        async with world.target() as target:
            await world.disturb(Trouble.FAILS)
            await failure(target.look_up(holder, world.profiles))
            await world.recover()
            assert await target.look_up(holder, world.profiles) is not None

    async def test_a_deadline_of_the_caller_is_honoured(self, world: TargetWorld) -> None:
        holder = await world.add_holder()
        await world.disturb(Trouble.STALLS)
        async with world.target() as target:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await target.look_up(holder, world.profiles)

    async def test_a_product_that_is_away_is_nobodys_fault(self, world: TargetWorld) -> None:
        await world.go_away()
        async with world.target() as target:
            assert (await failure(target.probe())).scope is Scope.UPSTREAM
            error = await failure(target.look_up(NOBODY, world.profiles))
        assert (error.family, error.scope) == (Family.TRANSIENT, Scope.UPSTREAM)
        assert error.upstream is not None

    async def test_refused_credentials_concern_the_whole_route(self, world: TargetWorld) -> None:
        async with world.stranger() as target:
            error = await failure(target.look_up(NOBODY, world.profiles))
        assert (error.family, error.scope) == (Family.PERMANENT, Scope.UPSTREAM)

    async def test_closing_twice_and_opening_again(self, world: TargetWorld) -> None:
        target = world.target()
        for _ in range(2):
            async with target:
                assert await target.look_up(NOBODY, world.profiles) is None
            await target.__aexit__(None, None, None)
