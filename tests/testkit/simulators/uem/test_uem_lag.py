"""An interface that knows an enrolment later than the event says so."""

from connector_testkit.simulators.uem import UemControl
from tests.testkit.simulators.uem.conftest import Api

DEVICES = "/API/mdm/devices"


async def test_a_device_is_not_there_until_the_lag_has_passed(
    api: Api, control: UemControl
) -> None:
    """Neither alone, nor in a search, nor in the count of its user; earlier ones are."""
    user = await control.add_user("ada")
    known = await control.enrol(user)
    await control.advance_clock(60)
    await control.switch(interface_lag=30)
    new = await control.enrol(user)
    serial = (await control.device(new))["serial"]
    hidden = (f"{DEVICES}/{new}", f"{DEVICES}/{new}/profiles")
    by_serial = f"{DEVICES}?searchBy=Serialnumber&id={serial}"
    for path in (*hidden, by_serial):
        answer = await api("GET", path)
        assert (answer.status, answer.content["errorCode"]) == (404, 5061)
    assert (await counted(api, user), await searched(api)) == ("1", [known])
    await control.advance_clock(31)
    for path in (*hidden, by_serial):
        assert (await api("GET", path)).status == 200
    assert (await counted(api, user), await searched(api)) == ("2", [known, new])


async def test_a_device_may_be_shown_as_registered_meanwhile(api: Api, control: UemControl) -> None:
    """Under its number and in a search; it is enrolled for the UEM itself."""
    await control.switch(interface_lag=30, lag_shows="registered")
    device = await control.enrol(await control.add_user("ada"))
    path = f"{DEVICES}/{device}"
    assert (await api("GET", path)).content["EnrollmentStatus"] == "Registered"
    assert await searched(api) == [device]
    await control.advance_clock(31)
    assert (await api("GET", path)).content["EnrollmentStatus"] == "Enrolled"


async def counted(api: Api, user: int) -> str:
    content = (await api("GET", f"/API/system/users/{user}")).content
    return str(content["EnrolledDevicesCount"])


async def searched(api: Api) -> list[int]:
    found = await api("GET", f"{DEVICES}/search?orderby=deviceid")
    return [device["Id"]["Value"] for device in found.content["Devices"]]
