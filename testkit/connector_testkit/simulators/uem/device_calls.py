"""``/mdm/…``: searching and reading devices, what is installed on them, pushing a profile."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from aiohttp import web

from connector_testkit.simulators.uem.answers import ApiError, json_answer, page_or_nothing
from connector_testkit.simulators.uem.call import Call
from connector_testkit.simulators.uem.profiles import Profiles
from connector_testkit.simulators.uem.records import Device
from connector_testkit.simulators.uem.shapes import (
    certificate_object,
    device_object,
    found_device,
    log_object,
    profile_object,
)
from connector_testkit.simulators.uem.shapes_v2 import device_object_v2
from connector_testkit.simulators.uem.tenant import Tenant

ORDERS: dict[str, Callable[[Device], Any]] = {
    "deviceid": lambda device: device.id,
    "lastseen": lambda device: (device.last_seen, device.id),
}
ADDRESSES: dict[str, Callable[[Device], str]] = {
    "serialnumber": lambda device: device.serial,
    "udid": lambda device: device.udid,
}


class DeviceCalls:
    """Handlers of the device and profile interface."""

    def __init__(self, tenant: Tenant, profiles: Profiles) -> None:
        self._tenant = tenant
        self._profiles = profiles

    async def search(self, call: Call) -> web.Response:
        """``GET mdm/devices/search``: in no order unless one is asked for."""
        found = [device for device in self._shown_ones() if self._fits(device, call)]
        found = found[: max(len(found) - self._tenant.behaviour.search_leaves_out, 0)]
        call.sort(found, ORDERS, self._tenant.dice)
        part, page = call.page(found, self._tenant.behaviour.page_limit)
        shown = [
            found_device(device, self._tenant.users.get(device.user), self._tenant.dates)
            for device in part
        ]
        return page_or_nothing({"Devices": shown, **page}, "Devices")

    async def by_kind(self, call: Call) -> web.Response:
        """``GET mdm/devices?searchBy=Serialnumber|Udid&id=…``."""
        read = ADDRESSES.get(call.query.get("searchby", "").lower())
        wanted = call.query.get("id", "")
        for device in self._shown_ones():
            if read is not None and read(device).lower() == wanted.lower():
                return self._shown(device)
        raise ApiError.no_device()

    async def one(self, call: Call) -> web.Response:
        """``GET mdm/devices/{id}`` with the numeric id."""
        return self._shown(self._known(call))

    async def one_by_uuid(self, call: Call) -> web.Response:
        """``GET mdm/devices/{uuid}``, version 2: camel case, nested."""
        for device in self._shown_ones():
            if device.uuid == call.args["uuid"].lower():
                user = self._tenant.users.get(device.user)
                return json_answer(device_object_v2(device, user, self._tenant.dates))
        raise ApiError.no_device()

    async def profiles(self, call: Call) -> web.Response:
        """``GET mdm/devices/{id}/profiles``: sometimes an empty body, which says nothing."""
        device = self._known(call)
        if self._tenant.dice.random() < self._tenant.behaviour.empty_profile_answers:
            return web.Response(status=200)
        assigned = [profile_object(profile) for profile in device.profiles.values()]
        part, page = call.page(assigned, self._tenant.behaviour.page_limit)
        about = {"DeviceId": {"Id": {"Value": device.id}}}
        return page_or_nothing({**about, "DeviceProfiles": part, **page}, "DeviceProfiles")

    async def certificates(self, call: Call) -> web.Response:
        """``GET mdm/devices/{id}/certificates``: what the device reported last."""
        device = self._known(call)
        reports = device.platform in self._tenant.behaviour.certificate_platforms
        sample = device.sample if reports else []
        shown = [
            certificate_object(number, device, sampled, self._tenant.dates)
            for number, sampled in enumerate(sample, start=1)
        ]
        part, page = call.page(shown, self._tenant.behaviour.page_limit)
        return page_or_nothing({"DeviceCertificates": part, **page}, "DeviceCertificates")

    async def event_log(self, call: Call) -> web.Response:
        """``GET mdm/devices/{id}/eventlog``: newest first, ``dayrange`` days back."""
        device = self._known(call)
        since = self._tenant.clock.now() - timedelta(days=min(call.number("dayrange", 30), 3650))
        lines = [line for line in reversed(device.log) if line.at >= since]
        shown = [log_object(line, self._tenant.dates) for line in lines]
        part, page = call.page(shown, self._tenant.behaviour.page_limit)
        return page_or_nothing({"DeviceEventLogEntries": part, **page}, "DeviceEventLogEntries")

    async def command(self, call: Call) -> web.Response:
        """``POST mdm/devices/{id}/commands?command=DeviceQuery``: the device reports now."""
        device = self._numbered(int(call.args["id"]))
        if call.query.get("command", "").lower() != "devicequery":
            raise ApiError.invalid("Invalid command")
        if device.enrolled and device.online:
            self._profiles.query(device)
        return web.Response(status=202)

    async def install(self, call: Call) -> web.Response:
        """``POST mdm/profiles/{id}/install``: pushes the profile, again if it is installed."""
        profile = int(call.args["id"])
        device = self._addressed(await call.members())
        if profile not in self._tenant.profiles:
            raise ApiError.invalid("Profile not found")
        if not device.enrolled or profile not in device.profiles:
            raise ApiError.invalid("The profile is not assigned to this device")
        self._profiles.push(device, profile, why="asked")
        return web.Response(status=200)

    def _addressed(self, members: dict[str, Any]) -> Device:
        """The device that a body names by number, serial number or UDID."""
        if str(members.get("deviceid", "")).isdecimal():
            return self._numbered(int(members["deviceid"]))
        for name, read in ADDRESSES.items():
            wanted = str(members.get(name, "")).lower()
            for device in self._tenant.devices.values():
                if wanted and read(device).lower() == wanted:
                    return device
        raise ApiError.no_device()

    def _fits(self, device: Device, call: Call) -> bool:
        user = self._tenant.users.get(device.user)
        wanted = call.query.get("user", "").lower()
        return not wanted or (user is not None and wanted in user.username.lower())

    def _shown_ones(self) -> Iterator[Device]:
        shown = (self._tenant.shown(device) for device in self._tenant.devices.values())
        return (device for device in shown if device is not None)

    def _known(self, call: Call) -> Device:
        """The device as it is shown."""
        device = self._tenant.shown(self._numbered(int(call.args["id"])))
        if device is None:
            raise ApiError.no_device()
        return device

    def _numbered(self, number: int) -> Device:
        device = self._tenant.devices.get(number)
        if device is None:
            raise ApiError.no_device()
        return device

    def _shown(self, device: Device) -> web.Response:
        user = self._tenant.users.get(device.user)
        return json_answer(device_object(device, user, self._tenant.dates))
