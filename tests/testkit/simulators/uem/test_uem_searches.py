"""Searching and reading users and devices."""

import pytest

from connector_testkit.simulators.uem import UemControl
from tests.testkit.simulators.uem.conftest import Api

USERS, DEVICES = "/API/system/users/search", "/API/mdm/devices/search"


async def test_user_search_matches_parts_of_a_name(api: Api, control: UemControl) -> None:
    """A search for a name also finds longer ones: clients must compare again."""
    for name in ("mmuster", "mmuster2", "other"):
        await control.add_user(name, email=f"{name}@example.com")
    found = await api("GET", f"{USERS}?username=MMuster&orderby=UserName")
    assert [user["UserName"] for user in found.content["Users"]] == ["mmuster", "mmuster2"]
    assert found.content["Total"] == 2


async def test_user_object_has_the_known_members(api: Api, control: UemControl) -> None:
    """A user is the same in a search and alone, custom attributes included."""
    attributes = {"CustomAttribute1": "P-4711"}
    user = await control.add_user("ada", email="ada@x.org", external_id="e1", attributes=attributes)
    await control.enrol(user, event=False)
    alone = (await api("GET", f"/API/system/users/{user}")).content
    assert alone == (await api("GET", USERS)).content["Users"][0]
    assert alone["Id"] == {"Value": user}
    assert (alone["Email"], alone["ExternalId"]) == ("ada@x.org", "e1")
    assert (alone["CustomAttribute1"], alone["EnrolledDevicesCount"]) == ("P-4711", "1")


async def test_an_edited_mail_address_shows_at_once(api: Api, control: UemControl) -> None:
    """What an administrator edits is what the interface says."""
    user = await control.add_user("ada", email="ada@x.org")
    await control.change_user(user, email="bob@x.org")
    assert (await api("GET", f"/API/system/users/{user}")).content["Email"] == "bob@x.org"


@pytest.mark.parametrize("status", [404, 400])
async def test_an_unknown_user_is_an_error_object(
    api: Api, control: UemControl, status: int
) -> None:
    """Its status is a switch, as no source shows it."""
    await control.switch(unknown_user_status=status)
    answer = await api("GET", "/API/system/users/999")
    assert answer.status == status
    assert answer.content["activityId"]


async def test_pages_cover_everything_and_then_end_with_204(api: Api, control: UemControl) -> None:
    """Ordered pages overlap nowhere; the page after the last is empty."""
    for number in range(5):
        await control.add_user(f"user{number}")
    seen: list[str] = []
    for page in range(3):
        answer = await api("GET", f"{USERS}?page={page}&pagesize=2&orderby=username&sortorder=DESC")
        seen += [user["UserName"] for user in answer.content["Users"]]
    assert seen == [f"user{number}" for number in (4, 3, 2, 1, 0)]
    assert (await api("GET", f"{USERS}?page=3&pagesize=2&orderby=username")).status == 204


async def test_order_is_unstable_unless_asked_for(api: Api, control: UemControl) -> None:
    """Without ``orderby`` two equal searches differ sooner or later."""
    for number in range(6):
        await control.add_user(f"user{number}")
    orders = {(await api("GET", USERS)).body for _ in range(10)}
    assert len(orders) > 1


async def test_a_page_may_be_smaller_than_asked(api: Api, control: UemControl) -> None:
    """The server caps the page size and says so."""
    for number in range(4):
        await control.add_user(f"user{number}")
    await control.switch(page_limit=3)
    page = (await api("GET", f"{USERS}?pagesize=500")).content
    assert (page["PageSize"], page["Total"], len(page["Users"])) == (3, 4, 3)


async def test_a_single_device_shows_more_than_a_search(api: Api, control: UemControl) -> None:
    """Both name the user by number; the quirks of the product are there."""
    user = await control.add_user("ada", email="ada@x.org")
    device = await control.enrol(user, serial="F2LQ", platform="Android")
    alone = (await api("GET", f"/API/mdm/devices/{device}")).content
    found = (await api("GET", f"{DEVICES}?user=ada&orderby=deviceid")).content["Devices"][0]
    assert found.items() < alone.items()
    assert alone["UserId"]["Id"] == {"Value": user}
    assert alone["EnrollmentUserUuid"].strip("0-") == ""
    assert (alone["Platform"], alone["Ownership"]) == ("Android", "C")
    by_serial = await api("GET", "/API/mdm/devices?searchBy=Serialnumber&id=f2lq")
    assert by_serial.content["Id"] == {"Value": device}


async def test_uuid_look_ups_answer_in_camel_case(api: Api, control: UemControl) -> None:
    """By UUID the answer is version 2 in another shape, and says so."""
    user = await control.add_user("ada", email="ada@x.org")
    device = await control.device(await control.enrol(user))
    answer = await api("GET", f"/API/mdm/devices/{device['uuid']}")
    assert answer.headers["X-Api-Version"] == "v2"
    assert answer.content["enrollmentInfo"]["enrollmentStatus"] == "ENROLLED"
    uuid = answer.content["enrollmentInfo"]["enrollmentUserUuid"]
    assert (await api("GET", f"/API/system/users/{uuid}")).content["emailAddress"] == "ada@x.org"


async def test_an_unknown_device_is_5061(api: Api) -> None:
    """With the product's number, by id and by UUID."""
    for name in ("999", "5d2a3c4e-0000-4000-8000-0000000000d1"):
        answer = await api("GET", f"/API/mdm/devices/{name}")
        assert (answer.status, answer.content["errorCode"]) == (404, 5061)


async def test_dates_come_in_every_shape_when_switched(api: Api, control: UemControl) -> None:
    """With random dates, several of the known shapes turn up."""
    device = await control.enrol(await control.add_user("ada"))
    await control.switch(date_format="random")
    seen = {(await api("GET", f"/API/mdm/devices/{device}")).content["LastSeen"] for _ in range(40)}
    marks = {"/Date(", "M", "Z", "+00:00"}
    assert {mark for mark in marks if any(mark in date for date in seen)} == marks
