"""Retention: when a copy goes, on whose clock, and what stays on the devices."""

from datetime import datetime, timedelta

import pytest

from connector_testkit.simulators.uem import UemControl, UemSimulator
from tests.testkit.simulators.uem.conftest import Api, Options, logged_in
from tests.testkit.simulators.uem.keyring import MadePair, upload_body


async def present(control: UemControl, user: int) -> bool:
    return bool((await control.copy(user))["present"])


async def test_a_copy_goes_after_its_retention_and_the_device_keeps_the_keys(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """Purged at the very second on the turned clock; the device still holds set and profile."""
    user = await control.add_user("ada")
    device = await control.enrol(user)
    await api.upload(user, upload_body(pairs[0]))
    await control.advance_clock(3595)
    assert await present(control, user)
    await control.advance_clock(5)
    assert not await present(control, user)
    entry = (await control.ledger("purge"))[0]
    upload = (await control.ledger("upload"))[0]
    kept = datetime.fromisoformat(entry["at"]) - datetime.fromisoformat(upload["uploaded_at"])
    assert (entry["why"], kept) == ("retention", timedelta(hours=1))
    shown = await control.device(device)
    assert shown["held"]["slots"][0]["fingerprint"] == pairs[0].fingerprint
    assert shown["profiles"][0]["status"] == 3


async def test_a_second_upload_starts_the_retention_anew(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """The set that was replaced does not take its successor with it."""
    user = await control.add_user("ada")
    await api.upload(user, upload_body(pairs[0]))
    await control.advance_clock(3000)
    await api.upload(user, upload_body(pairs[1]))
    await control.advance_clock(3000)
    assert await present(control, user)
    await control.advance_clock(600)
    assert not await present(control, user)


async def test_a_longer_retention_keeps_what_is_there(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """A changed setting holds for the sets that are kept already."""
    user = await control.add_user("ada")
    await api.upload(user, upload_body(pairs[0]))
    await control.switch(retention=7200)
    await control.advance_clock(7000)
    assert await present(control, user)
    await control.advance_clock(200)
    assert not await present(control, user)


async def test_never_purging_is_a_fault_that_can_be_ended(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """Without retention a copy stays; with a retention set later it goes when that has passed."""
    user = await control.add_user("ada")
    await control.switch(retention=None)
    await api.upload(user, upload_body(pairs[0]))
    await control.advance_clock(1_000_000)
    assert await present(control, user)
    await control.switch(retention=3)
    assert not await present(control, user)


async def test_retention_may_count_from_the_installation(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """Where installation starts it, a set that no device installed stays."""
    user = await control.add_user("ada")
    await control.switch(retention_from="install")
    await api.upload(user, upload_body(pairs[0]))
    await control.advance_clock(10_000)
    assert await present(control, user)
    await control.enrol(user)
    await control.advance_clock(60)
    await control.advance_clock(3599)
    assert await present(control, user)
    await control.advance_clock(1)
    assert not await present(control, user)


async def test_a_purge_by_hand_and_a_deleted_user(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """Both end the copy and say why."""
    ada, bob, eve = [await control.add_user(name) for name in ("ada", "bob", "eve")]
    for user in (ada, bob, eve):
        await api.upload(user, upload_body(pairs[0]))
    assert await control.purge(ada) == [ada]
    await control.delete_user(bob)
    assert await control.purge() == [eve]
    why = [(entry["user"], entry["why"]) for entry in await control.ledger("purge")]
    assert why == [(ada, "order"), (bob, "deleted"), (eve, "order")]


async def test_real_time_alone_installs_and_purges(options: Options, pairs: list[MadePair]) -> None:
    """With short times no question is needed: the ledger gets its entries, and wakes who waits."""
    async with (
        UemSimulator(options(retention=0.3, install_delay=0.1)) as simulator,
        UemControl(simulator.control_url) as control,
        logged_in(simulator) as api,
    ):
        user = await control.add_user("ada")
        device = await control.enrol(user)
        await api.upload(user, upload_body(pairs[0]))
        await control.wait_for("installed", lambda entry: entry["device"] == device)
        await control.wait_for("purge", lambda entry: entry["user"] == user)
        kinds = [entry["kind"] for entry in await control.ledger("upload", "installed", "purge")]
        assert kinds == ["upload", "installed", "purge"]
        with pytest.raises(TimeoutError):
            await control.wait_for("purge", lambda _: False, within=0.01)
