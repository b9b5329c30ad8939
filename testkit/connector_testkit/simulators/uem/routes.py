"""The routes. Paths are matched in any case, with or without ``/v1``."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from connector_testkit.simulators.uem.call import Handler
from connector_testkit.simulators.uem.device_calls import DeviceCalls
from connector_testkit.simulators.uem.user_calls import UserCalls

PREFIX = r"^/api(?:/v(?P<version>\d{1,3}))?"
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
PARTS = {"{id}": r"(?P<id>\d{1,12})", "{uuid}": f"(?P<uuid>{UUID})"}
MEDIA_VERSION = re.compile(r"version=(\d{1,3})")


@dataclass(frozen=True)
class Route:
    """A method and a path template, its handler, and the versions in which the call exists."""

    method: str
    template: str
    handler: Handler
    pattern: re.Pattern[str]
    versions: tuple[int, ...]

    def version_for(self, wanted: int | None) -> int:
        """The newest version not above the wanted one, else the oldest that there is."""
        fitting = [each for each in self.versions if wanted is None or each <= wanted]
        return max(fitting, default=self.versions[0])


@dataclass(frozen=True)
class Match:
    """A route with the variable parts of the path, and the version that will answer."""

    route: Route
    args: dict[str, str]
    version: int


def routes(users: UserCalls, devices: DeviceCalls) -> list[Route]:
    """Everything that the simulated interface offers."""
    return [
        _route("GET", "/system/info", users.info),
        _route("GET", "/system/users/search", users.search),
        _route("GET", "/system/users/{id}", users.one),
        _route("GET", "/system/users/{uuid}", users.one_by_uuid, 2),
        _route("POST", "/system/users/{id}/uploadsmimecerts", users.upload),
        _route("GET", "/mdm/devices", devices.by_kind),
        _route("GET", "/mdm/devices/search", devices.search),
        _route("GET", "/mdm/devices/{id}", devices.one),
        _route("GET", "/mdm/devices/{uuid}", devices.one_by_uuid, 2),
        _route("GET", "/mdm/devices/{id}/profiles", devices.profiles),
        _route("GET", "/mdm/devices/{id}/certificates", devices.certificates),
        _route("GET", "/mdm/devices/{id}/eventlog", devices.event_log),
        _route("POST", "/mdm/devices/{id}/commands", devices.command),
        _route("POST", "/mdm/profiles/{id}/install", devices.install),
    ]


def find(table: Sequence[Route], method: str, path: str, accept: str) -> Match | None:
    """The route of a request; ``accept`` may name a version, as may the path."""
    for route in table:
        found = route.pattern.match(path)
        if found is not None and route.method == method:
            args = {name: value for name, value in found.groupdict().items() if value}
            in_header = MEDIA_VERSION.search(accept)
            wanted = args.pop("version", None) or (in_header.group(1) if in_header else None)
            return Match(route, args, route.version_for(int(wanted) if wanted else None))
    return None


def _route(method: str, template: str, handler: Handler, version: int = 1) -> Route:
    pattern = template
    for part, meaning in PARTS.items():
        pattern = pattern.replace(part, meaning)
    compiled = re.compile(f"{PREFIX}{pattern}/?$", re.IGNORECASE | re.ASCII)
    return Route(method, template, handler, compiled, (version,))
