"""Control interface, part 2: devices, their profiles, what they hold, and mail to decrypt."""

import base64
from dataclasses import asdict
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from connector_testkit.simulators.uem.control_request import answer, number, read, refusal
from connector_testkit.simulators.uem.fleet import DeviceChange, Enrolment, Fleet
from connector_testkit.simulators.uem.mail import UnreadableMailError, decrypt
from connector_testkit.simulators.uem.profiles import Profiles
from connector_testkit.simulators.uem.records import Device
from connector_testkit.simulators.uem.tenant import Tenant

PLAIN = ("id", "uuid", "user", "serial", "udid", "name", "platform", "system", "group", "status")
STATE = ("compliance", "compromised", "online", "install_outcome")


class Announcement(BaseModel):
    """Whether an event is posted for what is done."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: bool = True


class ControlFleet:
    """Handlers under ``/_sim/devices``."""

    def __init__(self, tenant: Tenant, fleet: Fleet, profiles: Profiles) -> None:
        self._tenant = tenant
        self._fleet = fleet
        self._profiles = profiles

    def routes(self) -> list[web.RouteDef]:
        """What this part offers."""
        one = r"/_sim/devices/{id:\d+}"
        return [
            web.get("/_sim/devices", self._all),
            web.post("/_sim/devices", self._enrol),
            web.get(one, self._one),
            web.patch(one, self._change),
            web.delete(one, self._delete),
            web.post(f"{one}/unenrol", self._unenrol),
            web.post(f"{one}/wipe", self._wipe),
            web.put(one + r"/profiles/{profile:\d+}", self._assign),
            web.delete(one + r"/profiles/{profile:\d+}", self._remove),
            web.post(one + r"/profiles/{profile:\d+}/push", self._push),
            web.post(f"{one}/decrypt", self._decrypt),
        ]

    async def _all(self, _: web.Request) -> web.Response:
        return answer({"devices": [_shown(device) for device in self._tenant.devices.values()]})

    async def _enrol(self, request: web.Request) -> web.Response:
        return answer(_shown(self._fleet.enrol(await read(request, Enrolment))), 201)

    async def _one(self, request: web.Request) -> web.Response:
        return answer(_shown(self._known(request)))

    async def _change(self, request: web.Request) -> web.Response:
        device = self._known(request)
        self._fleet.change(device, await read(request, DeviceChange))
        return answer(_shown(device))

    async def _delete(self, request: web.Request) -> web.Response:
        self._fleet.delete(self._known(request))
        return answer({})

    async def _unenrol(self, request: web.Request) -> web.Response:
        device, wanted = self._known(request), await read(request, Announcement)
        self._fleet.unenrol(device, event=wanted.event)
        return answer(_shown(device))

    async def _wipe(self, request: web.Request) -> web.Response:
        device, wanted = self._known(request), await read(request, Announcement)
        self._fleet.request_wipe(device, event=wanted.event)
        return answer(_shown(device))

    async def _assign(self, request: web.Request) -> web.Response:
        device = self._known(request)
        self._profiles.assign(device, number(request, "profile"))
        return answer(_shown(device))

    async def _remove(self, request: web.Request) -> web.Response:
        device = self._known(request)
        self._profiles.remove(device, number(request, "profile"))
        return answer(_shown(device))

    async def _push(self, request: web.Request) -> web.Response:
        device = self._known(request)
        self._profiles.push(device, number(request, "profile"), why="asked")
        return answer(_shown(device))

    async def _decrypt(self, request: web.Request) -> web.Response:
        """Mail in the body, plain text in the answer; 422 with a code when it is unreadable."""
        device = self._known(request)
        try:
            plaintext, pair = decrypt(await request.read(), device.held)
        except UnreadableMailError as error:
            return refusal(422, error.code)
        text, raw = plaintext.decode(errors="replace"), base64.b64encode(plaintext).decode()
        return answer({"plaintext": text, "base64": raw, **pair.facts()})

    def _known(self, request: web.Request) -> Device:
        return self._tenant.devices[number(request)]


def _shown(device: Device) -> dict[str, Any]:
    """A device with its profiles and the set that it holds."""
    facts = {name: getattr(device, name) for name in (*PLAIN, *STATE)}
    profiles = [
        {**asdict(profile), "status": int(profile.status)} for profile in device.profiles.values()
    ]
    held = device.held.facts() if device.held else None
    return {**facts, "profiles": profiles, "held": held}
