"""Looks on the simulated UEM, with the quirks of the real one and with lies."""

from datetime import timedelta

import pytest

from connector.core.errors import Family, Scope
from connector_testkit.conformance.target_world import failure
from connector_testkit.simulators.uem.server import machine_time
from tests.integrations.workspace_one.conftest import UemWorld

OTHER_PROFILE = "4712"
DEVICE = "/mdm/devices/{id}"


async def uuid_of_user(uem: UemWorld, holder: str) -> str:
    return uem.uem.tenant.users[int(holder)].uuid


async def test_a_user_is_what_the_uem_says(uem: UemWorld) -> None:
    """Name, mail and group, and every plain member as an attribute by its lower-case name."""
    attributes = {"CustomAttribute1": "mmuster@ca", "Nested": {"A": 1}, "Empty": ""}
    user = await uem.control.add_user(
        "mmuster", email="M.Muster@Example.com", group="Sales", attributes=attributes
    )
    async with uem.target() as target:
        facts = await target.look_up(str(user), uem.profiles)
    assert facts is not None
    assert (facts.name, facts.mail, facts.group) == ("mmuster", "m.muster@example.com", "Sales")
    assert facts.attributes["customattribute1"] == "mmuster@ca"
    assert facts.attributes["email"] == "M.Muster@Example.com"
    assert not {"nested", "empty", "id"} & facts.attributes.keys()


@pytest.mark.parametrize(
    ("status", "active"),
    [
        (True, True),
        ("Active", True),
        (None, True),
        (False, False),
        ("Inactive", False),
        ("0", False),
    ],
)
async def test_only_a_clear_no_makes_a_user_inactive(
    uem: UemWorld, status: object, active: object
) -> None:
    """The member's type varies by release."""
    user = await uem.control.add_user("mmuster", attributes={"Status": status})
    async with uem.target() as target:
        facts = await target.look_up(str(user), uem.profiles)
    assert facts is not None
    assert facts.active == active


async def test_a_device_is_what_the_uem_says(uem: UemWorld) -> None:
    """Platform in lower case, health, and when it was last seen on the UEM's clock."""
    holder = await uem.add_holder()
    device = await uem.add_device(holder, platform="AppleOsX", serial="C02X", name="Mac of M")
    await uem.control.change_device(
        int(device), compromised=True, compliance="NonCompliant", event=False
    )
    async with uem.target() as target:
        facts = await target.look_up_device(device)
    assert facts is not None
    assert (facts.platform, facts.serial, facts.friendly_name) == ("appleosx", "C02X", "Mac of M")
    assert (facts.compromised, facts.compliant) == (True, False)
    assert facts.last_seen is not None
    assert abs(facts.last_seen - machine_time().timestamp() * 1000) < 60_000


async def test_a_device_about_to_be_wiped_is_not_enrolled(uem: UemWorld) -> None:
    """Keys are not sent after it."""
    device = await uem.add_device(await uem.add_holder())
    await uem.control.wipe(int(device), event=False)
    async with uem.target() as target:
        facts = await target.look_up_device(device)
    assert facts is not None
    assert not facts.enrolled


async def test_users_and_devices_are_found_by_uuid_too(uem: UemWorld) -> None:
    """The numeric id, which the upload needs, is found out; capitals in a UUID do not matter."""
    holder = await uem.add_holder()
    device = await uem.add_device(holder)
    tenant = uem.uem.tenant
    async with uem.target() as target:
        user = await target.look_up(tenant.users[int(holder)].uuid.upper(), uem.profiles)
        found = await target.look_up_device(tenant.devices[int(device)].uuid)
        nobody = await target.look_up("5d2a3c4e-0000-4000-8000-0000000000e1", uem.profiles)
    assert user is not None
    assert [user.id, *(each.id for each in user.devices)] == [holder, device]
    assert found is not None
    assert found.id == device
    assert nobody is None


async def test_a_uuid_look_up_without_a_number_goes_by_the_users_name(uem: UemWorld) -> None:
    """Where version 2 shows no numeric id, the search does, matched by UUID."""
    holders = [await uem.add_holder() for _ in range(3)]
    user = uem.uem.tenant.users[int(holders[0])]
    shown = f'{{"uuid": "{user.uuid}", "userName": "{user.username}"}}'
    await uem.control.fault("raw", path=user.uuid, body=shown)
    async with uem.target() as target:
        facts = await target.look_up(user.uuid, uem.profiles)
    assert facts is not None
    assert facts.id == holders[0]


async def test_all_pages_are_read_though_smaller_than_asked_for(uem: UemWorld) -> None:
    """The server caps its pages; every device is found once, those of others are left out."""
    first, other = await uem.add_holder(), await uem.add_holder()
    mine = {await uem.add_device(first) for _ in range(5)}
    for _ in range(2):
        await uem.add_device(other)
    await uem.control.switch(page_limit=2)
    async with uem.target() as target:
        facts = await target.look_up(first, uem.profiles)
    assert facts is not None
    assert [device.id for device in facts.devices] == sorted(mine, key=int)
    looked_at = [each["args"]["id"] for each in await uem.requests() if each["path"] == DEVICE]
    assert looked_at == sorted(mine, key=int)


async def test_a_search_that_does_not_tell_owners_gives_nobody_anothers_device(
    uem: UemWorld,
) -> None:
    """The look at the single device decides."""
    holder, other = await uem.add_holder(), await uem.add_holder()
    mine, others = await uem.add_device(holder), await uem.add_device(other)
    listed = f'{{"Devices": [{{"Id": {others}}}, {{"Id": {mine}}}], "Total": 2}}'
    await uem.control.fault("raw", path="devices/search", body=listed)
    async with uem.target() as target:
        facts = await target.look_up(holder, uem.profiles)
    assert facts is not None
    assert [device.id for device in facts.devices] == [mine]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("devices/search", '{"Devices": [{"Id": 15}], "Total": 3}', "UEM-009"),
        ("devices/search", '{"Total": 0}', "UEM-005"),
        ("devices/search", "[]", "UEM-005"),
        ("devices/search", "{", "UEM-005"),
        ("system/users/12", '{"Id": {"Value": 13}}', "UEM-005"),
        ("system/users/12", '{"UserName": "mmuster"}', "UEM-005"),
        ("system/users/12", "", "UEM-009"),
        ("devices/15", '{"Id": {"Value": 16}}', "UEM-005"),
    ],
)
async def test_an_answer_that_cannot_be_right_is_not_believed(
    uem: UemWorld, path: str, body: str, code: str
) -> None:
    """About another user, without the promised list, or shorter than announced."""
    assert await uem.control.add_user("mmuster", id=12)
    await uem.add_device("12", id=15)
    await uem.control.fault("raw", path=path, body=body, count=None)
    async with uem.target() as target:
        error = await failure(target.look_up("12", uem.profiles))
    assert (error.code, error.scope) == (code, Scope.SUBJECT)


async def test_a_list_that_never_ends_is_given_up(uem: UemWorld) -> None:
    """A server that gives new entries for ever does not hold us for ever."""
    holder = await uem.add_holder()
    endless = '{"Users": [{"UserName": "x"}]}'
    await uem.control.fault("raw", path="users/search", body=endless, count=None)
    uuid = await uuid_of_user(uem, holder)
    await uem.control.fault("raw", path=uuid, body=f'{{"uuid": "{uuid}", "userName": "x"}}')
    async with uem.target() as target:
        error = await failure(target.look_up(uuid, uem.profiles))
    assert error.code == "UEM-006"


@pytest.mark.parametrize("left_out", [1, 2, 3])
async def test_a_search_that_leaves_devices_out_is_not_believed(
    uem: UemWorld, left_out: int
) -> None:
    """A search that stumbles must not look as if devices had left, nor hide one that is ill."""
    holder = await uem.add_holder()
    devices = {await uem.add_device(holder) for _ in range(3)}
    await uem.control.switch(search_leaves_out=left_out)
    async with uem.target() as target:
        error = await failure(target.look_up(holder, uem.profiles))
        assert (error.code, error.family) == ("UEM-009", Family.TRANSIENT)
        await uem.control.switch(search_leaves_out=0)
        facts = await target.look_up(holder, uem.profiles)
    assert facts is not None
    assert {device.id for device in facts.devices} == devices


async def test_a_device_on_the_way_does_not_stand_for_one_that_is_left_out(uem: UemWorld) -> None:
    """The missing one may be ill, and would get the keys."""
    holder = await uem.add_holder()
    left_out = await uem.add_device(holder)
    await uem.control.change_device(int(left_out), compromised=True, event=False)
    other = await uem.add_device(holder)
    registered = f'{{"Id": {other}, "UserId": {holder}, "EnrollmentStatus": "Registered"}}'
    listed = f'{{"Devices": [{{"Id": {other}}}], "Total": 1}}'
    await uem.control.fault("raw", path="devices/search", body=listed)
    await uem.control.fault("raw", path=f"devices/{other}", body=registered)
    await uem.control.unenrol(int(other), event=False)
    async with uem.target() as target:
        error = await failure(target.look_up(holder, uem.profiles))
    assert (error.code, error.family) == ("UEM-009", Family.TRANSIENT)


async def test_the_count_of_devices_need_not_be_believed(uem: UemWorld) -> None:
    """Where a tenant's count is wrong for good, a setting says so."""
    user = await uem.control.add_user("mmuster", attributes={"EnrolledDevicesCount": "9"})
    async with uem.target(check_device_count=False) as target:
        assert await target.look_up(str(user), uem.profiles) is not None
    async with uem.target() as target:
        assert (await failure(target.look_up(str(user), uem.profiles))).code == "UEM-009"


@pytest.mark.parametrize("status", [400, 404])
async def test_an_unknown_user_is_none_with_either_status(uem: UemWorld, status: int) -> None:
    """Which status the UEM gives is not public."""
    await uem.control.switch(unknown_user_status=status)
    async with uem.target() as target:
        assert await target.look_up("99", uem.profiles) is None


async def test_a_page_instead_of_an_error_object_is_not_unknown(uem: UemWorld) -> None:
    """A web server's 404 means a wrong address; it must not look as if the device were gone."""
    device = await uem.add_device(await uem.add_holder())
    await uem.control.fault("html", path="devices/")
    async with uem.target() as target:
        error = await failure(target.look_up_device(device))
    assert (error.code, error.family) == ("UEM-011", Family.TRANSIENT)


async def test_login_refused_once_is_not_tried_again_by_itself(uem: UemWorld) -> None:
    """One request, one fault of the whole upstream; the next look is fine again."""
    device = await uem.add_device(await uem.add_holder())
    await uem.control.fault("unauthorized", path="devices")
    async with uem.target() as target:
        error = await failure(target.look_up_device(device))
        assert (error.code, error.upstream) == ("UEM-401", "uem:main")
        assert len(await uem.requests()) == 1
        assert await target.look_up_device(device) is not None


async def test_changed_secrets_are_read_when_it_is_opened_again(uem: UemWorld) -> None:
    """A rotated password needs no new process."""
    target = uem.target()
    await uem.control.accept(password="marker-second-password")
    async with target:
        assert (await failure(target.look_gone("12"))).code == "UEM-401"
    uem.settings().password_file.write_text("marker-second-password", encoding="utf-8")
    async with target:
        assert (await target.look_gone("12")).server_time is not None


@pytest.mark.parametrize("content", [None, "", "\n", "a\u00e4", "a\nb"])
async def test_a_useless_secret_file_is_a_fault_of_the_settings(
    uem: UemWorld, content: str | None
) -> None:
    """Missing, empty or not to be put into a header: said at opening, of the whole upstream."""
    file = uem.settings().tenant_code_file
    file.unlink()
    if content is not None:
        file.write_text(content, encoding="utf-8")
    error = await failure(uem.target().__aenter__())
    assert (error.code, error.upstream) == ("CFG-003", "uem:main")


async def test_the_clock_is_the_uems(uem: UemWorld) -> None:
    """It follows the Date header, not ours."""
    await uem.control.set_clock(-86_400)
    async with uem.target() as target:
        look = await target.look_gone("12")
    assert look.copy_present is None
    assert look.server_time is not None
    assert abs(look.server_time - (machine_time().timestamp() - 86_400) * 1000) < 60_000


async def test_versions_and_paths_are_settings(uem: UemWorld) -> None:
    """What a tenant's own reference page says can be put in without a new release."""
    async with uem.target(api_path="api/v1", versions={"info": 3}) as target:
        assert (await target.look_gone("12")).server_time is not None
    assert [request["path"] for request in await uem.requests()] == ["/system/info"]


async def test_a_slow_answer_is_waited_for(uem: UemWorld) -> None:
    """Within the time limit of the settings slowness is no fault."""
    await uem.control.fault("slow", seconds=0.2)
    async with uem.target() as target:
        look = await target.look_gone("12")
    assert look.server_time is not None
    assert timedelta(milliseconds=look.server_time) > timedelta(days=1)
