"""Profiles and devices: pending, installed, pushed again, kept after a purge, gone with leaving."""

from typing import Any

import pytest

from connector_testkit.simulators.uem import UemControl
from tests.testkit.simulators.uem.conftest import Api
from tests.testkit.simulators.uem.keyring import MadePair, upload_body

PUSH = "/API/mdm/profiles/4711/install"


async def profile(api: Api, device: int) -> dict[str, Any]:
    """The one profile of a device, as the interface shows it."""
    answer = await api("GET", f"/API/mdm/devices/{device}/profiles")
    shown: dict[str, Any] = answer.content["DeviceProfiles"][0]
    return shown


async def held(control: UemControl, device: int) -> list[str]:
    """Fingerprints that a device holds."""
    content = (await control.device(device))["held"]
    return [each["fingerprint"] for each in content["slots"]] if content else []


async def test_a_profile_waits_for_a_certificate(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """Pending without one, however long; installed after the delay when one has come."""
    user = await control.add_user("ada")
    device = await control.enrol(user)
    await control.advance_clock(3600)
    assert (await profile(api, device))["Status"] == 1
    await api.upload(user, upload_body(pairs[0]))
    await control.advance_clock(59)
    assert (await profile(api, device))["Status"] == 1
    await control.advance_clock(1)
    shown = await profile(api, device)
    assert (shown["Id"], shown["Status"]) == ({"Value": 4711}, 3)
    assert shown["InstalledProfileVersion"] == shown["CurrentVersion"]
    assert await held(control, device) == [pairs[0].fingerprint]


async def test_a_device_that_enrols_later_gets_what_is_there(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """The order of upload and enrolment does not matter."""
    user = await control.add_user("ada")
    await api.upload(user, upload_body(pairs[0]))
    device = await control.enrol(user)
    await control.advance_clock(60)
    assert await held(control, device) == [pairs[0].fingerprint]


async def test_a_second_upload_needs_a_push(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """An installed profile is not pushed again by itself; after a push the new set is there."""
    user = await control.add_user("ada")
    device = await control.enrol(user)
    await api.upload(user, upload_body(pairs[0]))
    await control.advance_clock(60)
    await api.upload(user, upload_body(pairs[1]))
    await control.advance_clock(3600 - 1)
    assert await held(control, device) == [pairs[0].fingerprint]
    assert (await api("POST", PUSH, {"DeviceId": device})).status == 200
    await control.switch(retention=None)
    await control.advance_clock(60)
    assert await held(control, device) == [pairs[1].fingerprint]
    assert (await profile(api, device))["Status"] == 3


async def test_the_newest_of_two_pushes_counts(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """A push under way is replaced by the next one: one installation, a delay after the last."""
    user = await control.add_user("ada")
    device = await control.enrol(user)
    await api.upload(user, upload_body(pairs[0]))
    await control.advance_clock(40)
    await api("POST", PUSH, {"DeviceId": device})
    await control.advance_clock(40)
    assert (await profile(api, device))["Status"] == 1
    await control.advance_clock(40)
    assert (await profile(api, device))["Status"] == 3
    assert len(await control.ledger("installed")) == 1


async def test_a_release_that_pushes_by_itself_is_a_switch(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """It is not known whether a re-upload pushes; both can be tried."""
    user = await control.add_user("ada")
    device = await control.enrol(user)
    await control.switch(pushes_on_upload=True, sent_status=2)
    for pair in pairs[:2]:
        await api.upload(user, upload_body(pair))
        assert (await profile(api, device))["Status"] == 2
        await control.advance_clock(60)
    assert await held(control, device) == [pairs[1].fingerprint]


@pytest.mark.parametrize("name", ["SerialNumber", "Udid", "DeviceId"])
async def test_a_push_names_its_device_in_several_ways(
    api: Api, control: UemControl, name: str
) -> None:
    """By serial number, UDID or number; the push is in ledger and event log."""
    device = await control.enrol(await control.add_user("ada"))
    shown = await control.device(device)
    value = {"SerialNumber": shown["serial"], "Udid": shown["udid"], "DeviceId": device}[name]
    assert (await api("POST", PUSH, {name: value})).status == 200
    assert [entry["device"] for entry in await control.ledger("install")] == [device]
    log = (await api("GET", f"/API/mdm/devices/{device}/eventlog")).content
    assert log["DeviceEventLogEntries"][0]["Event"] == "InstallProfileRequested"


async def test_pushes_that_cannot_be_are_refused(api: Api, control: UemControl) -> None:
    """Unknown device 404, unknown or unassigned profile 400."""
    device = await control.enrol(await control.add_user("ada"), profiles=[])
    assert (await api("POST", PUSH, {"DeviceId": 999})).status == 404
    assert (await api("POST", PUSH, {"DeviceId": device})).status == 400
    assert (await api("POST", "/API/mdm/profiles/1/install", {"DeviceId": device})).status == 400


async def test_a_device_may_fail_be_away_or_never_report(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """Failed is status 6; away and silent stay pending; who comes back installs."""
    user = await control.add_user("ada")
    failing = await control.enrol(user, install_outcome="failed")
    silent = await control.enrol(user, install_outcome="never")
    away = await control.enrol(user, online=False)
    await api.upload(user, upload_body(pairs[0]))
    await control.advance_clock(60)
    statuses = [(await profile(api, device))["Status"] for device in (failing, silent, away)]
    assert statuses == [6, 1, 1]
    await control.change_device(away, online=True)
    await control.advance_clock(60)
    assert (await profile(api, away))["Status"] == 3


async def test_who_comes_back_after_the_purge_gets_nothing(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """A copy that expired while a device was away leaves its profile pending."""
    user = await control.add_user("ada")
    away = await control.enrol(user, online=False)
    await api.upload(user, upload_body(pairs[0]))
    await control.advance_clock(3600)
    await control.change_device(away, online=True)
    await control.advance_clock(60)
    assert (await profile(api, away))["Status"] == 1
    assert await held(control, away) == []


async def test_evidence_on_the_device(api: Api, control: UemControl, pairs: list[MadePair]) -> None:
    """Certificates by name, issuer and expiry; a confirmed install in the event log."""
    user = await control.add_user("ada")
    device = await control.enrol(user)
    path = f"/API/mdm/devices/{device}"
    assert (await api("GET", f"{path}/certificates")).status == 204
    await api.upload(user, upload_body(pairs[0], pairs[0], (pairs[1],)))
    await control.advance_clock(60)
    found = (await api("GET", f"{path}/certificates")).content["DeviceCertificates"]
    assert [each["Name"] for each in found] == ["generation 0", "generation 1"]
    assert {each["IssuedBy"] for each in found} == {"Example Mail CA"}
    assert {each["ExpiresOn"] for each in found} == {"2/5/2027 00:00:00"}
    log = (await api("GET", f"{path}/eventlog")).content["DeviceEventLogEntries"]
    assert log[0]["Event"] == "InstallProfileConfirmed"
    assert {"Name": "ProfileId", "Value": "4711"} in log[0]["EventDataList"]


async def test_a_query_refreshes_the_sample(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """Where the list is sampled by query only, it is empty until the device was asked."""
    user = await control.add_user("ada")
    device = await control.enrol(user)
    await control.switch(sampled_on="query")
    await api.upload(user, upload_body(pairs[0]))
    await control.advance_clock(60)
    path = f"/API/mdm/devices/{device}"
    assert (await api("GET", f"{path}/certificates")).status == 204
    assert (await api("POST", f"{path}/commands?command=DeviceQuery")).status == 202
    assert (await api("GET", f"{path}/certificates")).content["Total"] == 1
    assert (await api("POST", f"{path}/commands?command=Lock")).status == 400


async def test_other_platforms_report_no_certificates(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """Android devices install without showing certificates."""
    user = await control.add_user("ada")
    device = await control.enrol(user, platform="Android")
    await api.upload(user, upload_body(pairs[0]))
    await control.advance_clock(60)
    assert (await profile(api, device))["Status"] == 3
    assert (await api("GET", f"/API/mdm/devices/{device}/certificates")).status == 204


async def test_a_profile_answer_may_be_empty(api: Api, control: UemControl) -> None:
    """An empty 200 says nothing."""
    device = await control.enrol(await control.add_user("ada"))
    await control.switch(empty_profile_answers=1.0)
    answer = await api("GET", f"/API/mdm/devices/{device}/profiles")
    assert (answer.status, answer.body) == (200, b"")


async def test_leaving_takes_profile_and_keys(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """Unenrolment, a profile taken away and another user each empty the device."""
    user, other = await control.add_user("ada"), await control.add_user("bob")
    left, stripped, given = [await control.enrol(user) for _ in range(3)]
    await api.upload(user, upload_body(pairs[0]))
    await control.advance_clock(60)
    assert [len(await held(control, each)) for each in (left, stripped, given)] == [1, 1, 1]
    await control.unenrol(left)
    await control.remove_profile(stripped, 4711)
    await control.change_device(given, user=other)
    assert [len(await held(control, each)) for each in (left, stripped, given)] == [0, 0, 0]
    shown = (await api("GET", f"/API/mdm/devices/{left}")).content
    assert shown["EnrollmentStatus"] == "Unenrolled"
    assert (await api("GET", f"/API/mdm/devices/{left}/profiles")).status == 204
    assert (await profile(api, given))["Status"] == 1
    await control.delete_device(given)
    assert (await api("GET", f"/API/mdm/devices/{given}")).status == 404


async def test_compliance_and_compromise_are_shown(api: Api, control: UemControl) -> None:
    """As text and as a truth value."""
    device = await control.enrol(await control.add_user("ada"))
    await control.change_device(device, compromised=True, compliance="NonCompliant")
    shown = (await api("GET", f"/API/mdm/devices/{device}")).content
    assert (shown["CompromisedStatus"], shown["ComplianceStatus"]) == (True, "NonCompliant")
