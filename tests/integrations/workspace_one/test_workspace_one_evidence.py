"""Evidence of installation on the simulated UEM: status, certificate list, event log."""

from typing import Any

import pytest

from connector.core.model import ProfileStatus, Slot
from connector.core.ports import InstallQuestion
from connector_testkit.conformance.target_acts import current, whole_set
from connector_testkit.conformance.target_child import Deliverer
from tests.integrations.workspace_one.conftest import PROFILE, UemWorld

OTHER_PROFILE = "4712"


def question(holder: str, device: str, samples: Any = None, since: int = 0) -> InstallQuestion:
    return InstallQuestion(
        holder=holder,
        devices=(device,),
        profiles={"apple": PROFILE, "*": OTHER_PROFILE},
        platforms={},
        current=current(samples or whole_set()),
        since=since,
    )


async def evidence(uem: UemWorld, asked: InstallQuestion, **changes: Any) -> Any:
    async with uem.target(**changes) as target:
        found = await target.look_installed(asked)
    assert len(found.devices) == 1
    return found.devices[0]


async def test_an_empty_list_of_profiles_says_nothing(uem: UemWorld) -> None:
    """It happens for devices that have profiles."""
    holder = await uem.add_holder()
    device = await uem.add_device(holder)
    await uem.control.switch(empty_profile_answers=1.0)
    shown = await evidence(uem, question(holder, device))
    assert shown.profile is ProfileStatus.UNKNOWN


async def test_the_profile_of_the_platform_counts(uem: UemWorld) -> None:
    """Another profile on the device, or ours on another platform, is not ours."""
    holder = await uem.add_holder()
    apple = await uem.add_device(holder, profiles=[int(OTHER_PROFILE)])
    android = await uem.add_device(holder, platform="Android", profiles=[int(OTHER_PROFILE)])
    shown = [(await evidence(uem, question(holder, each))).profile for each in (apple, android)]
    assert shown == [ProfileStatus.NONE, ProfileStatus.PENDING]


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("3", ProfileStatus.INSTALLED),
        ('"3"', ProfileStatus.INSTALLED),
        ('"Installed"', ProfileStatus.INSTALLED),
        ("0", ProfileStatus.PENDING),
        ("1", ProfileStatus.PENDING),
        ("2", ProfileStatus.PENDING),
        ("5", ProfileStatus.NONE),
        ("6", ProfileStatus.ERROR),
        ("77", ProfileStatus.UNKNOWN),
        ("null", ProfileStatus.UNKNOWN),
        ('3, "CurrentVersion": 6, "InstalledProfileVersion": 5', ProfileStatus.PENDING),
        ('3, "CurrentVersion": 6, "InstalledProfileVersion": 6', ProfileStatus.INSTALLED),
    ],
)
async def test_a_status_is_read_as_number_or_word(
    uem: UemWorld, status: str, meaning: ProfileStatus
) -> None:
    """Installed needs the current version; an unknown value says nothing."""
    holder = await uem.add_holder()
    device = await uem.add_device(holder)
    body = f'{{"DeviceProfiles": [{{"Id": {{"Value": {PROFILE}}}, "Status": {status}}}]}}'
    await uem.control.fault("raw", path=f"{device}/profiles", body=body, count=None)
    assert (await evidence(uem, question(holder, device))).profile is meaning


@pytest.mark.parametrize("platform", ["Apple", "Android"])
@pytest.mark.parametrize("dates", ["fixed", "random"])
async def test_an_installation_is_proven_on_every_platform(
    uem: UemWorld, platform: str, dates: str
) -> None:
    """By the device's own list where it gives one, else by the event log, in any date format."""
    await uem.control.switch(date_format=dates)
    holder, samples = await uem.add_holder(), whole_set()
    profiles = [int(PROFILE if platform == "Apple" else OTHER_PROFILE)]
    device = await uem.add_device(holder, platform=platform, profiles=profiles)
    with Deliverer() as deliverer:
        done = await deliverer.deliver(uem.target(), uem.reference(), holder, samples)
    await uem.installed(device, current(samples).fingerprint)
    assert done.server_time is not None
    since = done.server_time - 2000
    shown = await evidence(uem, question(holder, device, samples, since))
    assert shown.profile is ProfileStatus.INSTALLED
    proof, other = shown.certificate_seen_at, shown.install_confirmed_at
    if platform == "Android":
        proof, other = other, proof
    assert proof is not None
    assert proof >= done.server_time
    assert other is None


@pytest.mark.parametrize(
    ("platform", "member", "shown"),
    [("Apple", "ArchivedCertificates", 2), ("Apple", "Other", 0), ("Android", "Other", None)],
)
async def test_earlier_generations_are_looked_for_in_the_devices_list(
    uem: UemWorld, platform: str, member: str, shown: int | None
) -> None:
    """A UEM that knows the member by another name takes the set and leaves them out."""
    await uem.control.switch(archived_member=member)
    holder, samples = await uem.add_holder(), whole_set()
    device = await uem.add_device(holder, platform=platform, profiles=[int(PROFILE)])
    with Deliverer() as deliverer:
        done = await deliverer.deliver(uem.target(), uem.reference(), holder, samples)
    await uem.installed(device, current(samples).fingerprint)
    assert done.server_time is not None
    earlier = tuple(each.generation for each in samples if each.slot is Slot.ARCHIVED)
    asked = question(holder, device, samples, done.server_time - 2000)
    asked = asked.model_copy(update={"archived": earlier, "profiles": {"*": PROFILE}})
    listed = (await evidence(uem, asked)).archived_listed
    assert (None if listed is None else len(listed)) == shown


async def test_a_failed_installation_is_an_error(uem: UemWorld) -> None:
    """The profile's status says so, and nothing is called proof."""
    holder, samples = await uem.add_holder(), whole_set()
    device = await uem.add_device(holder, install_outcome="failed")
    with Deliverer() as deliverer:
        await deliverer.deliver(uem.target(), uem.reference(), holder, samples)
    await uem.control.wait_for("installed", lambda entry: entry["outcome"] == "failed")
    shown = await evidence(uem, question(holder, device, samples))
    assert shown.profile is ProfileStatus.ERROR
    assert (shown.certificate_seen_at, shown.install_confirmed_at) == (None, None)


async def test_a_device_that_changed_hands_proves_nothing_for_the_former_holder(
    uem: UemWorld,
) -> None:
    """It is as if it had left the user."""
    holder, other = await uem.add_holder(), await uem.add_holder()
    device = await uem.add_device(holder)
    await uem.give_device(device, other)
    assert not (await evidence(uem, question(holder, device))).enrolled
