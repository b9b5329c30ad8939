"""Finding users and devices, and matching every answer again with what was asked."""

import re

from connector.integrations.workspace_one.api import Api, Found
from connector.integrations.workspace_one.facts import owner_of
from connector.integrations.workspace_one.members import Members, is_number
from connector.integrations.workspace_one.operations import Operation
from connector.integrations.workspace_one.paging import Pages
from connector.upstream import Kind

UUID = re.compile("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
"""Anything else in its place is answered with a page of the web server."""


class Directory:
    """Users and devices of one tenant, by numeric id or by UUID."""

    def __init__(self, api: Api, pages: Pages) -> None:
        self._api = api
        self._pages = pages

    async def user(self, identifier: str) -> Found | None:
        """A user by numeric id or UUID; None when there is none.

        The object is always that of version 1 by numeric id, so that its id is certain.
        """
        number = identifier if is_number(identifier) else await self._user_number(identifier)
        found = await self._api.one(Operation.USER, number) if number else None
        if found is not None and found.members.identifier("id") != str(int(number)):
            raise self._api.fault(Kind.NONSENSE, "looking up a user: answer about another")
        return found

    async def users_named(self, text: str) -> list[str]:
        """Numeric ids of users by user name or mail; by a device's serial if there is none.

        The search finds parts of names, so each answer is compared again.
        """
        found: set[str] = set()
        for member in ("username", "email"):
            query = {member: text, "orderby": "UserName"}
            listed = await self._pages.all(Operation.USER_SEARCH, "users", query=query) or []
            found |= {one.identifier("id") for one in listed if _is_same(one.text(member), text)}
        return sorted(found - {""}, key=int) or await self._owners(text)

    async def _owners(self, serial: str) -> list[str]:
        query = {"searchBy": "Serialnumber", "id": serial}
        found = await self._api.one(Operation.DEVICE_BY_KIND, query=query)
        if found is None or not _is_same(found.members.text("serialnumber"), serial):
            return []
        owner = owner_of(found.members)
        return [owner] if owner else []

    async def device(self, identifier: str) -> Found | None:
        """A device by its numeric id or its UUID; None when there is none."""
        number = identifier if is_number(identifier) else await self._device_number(identifier)
        found = await self._api.one(Operation.DEVICE, number) if number else None
        if found is not None and found.members.identifier("id") != str(int(number)):
            raise self._api.fault(Kind.NONSENSE, "looking up a device: answer about another")
        return found

    async def devices_of(self, user: Members) -> list[str]:
        """The numeric ids of all devices that may be the user's, enrolled or not, ascending.

        The search finds parts of user names, so those of others are left out as far as it tells;
        the look at each single device decides.
        """
        query = {"user": user.text("username"), "orderby": "deviceid", "sortorder": "ASC"}
        listed = await self._pages.all(Operation.DEVICE_SEARCH, "devices", query=query) or []
        holder = user.identifier("id")
        mine = {entry.identifier("id") for entry in listed if owner_of(entry) in {holder, ""}} - {
            ""
        }
        return sorted(mine, key=int)

    async def _user_number(self, uuid: str) -> str:
        """The numeric id of a user by UUID (version 2), by user name if that object lacks it."""
        if not UUID.fullmatch(uuid):
            return ""
        found = await self._api.one(Operation.USER_BY_UUID, uuid)
        if found is None or not _is_same(found.members.text("uuid"), uuid):
            return ""
        number = found.members.identifier("id")
        return number or await self._searched(found.members.text("username"), uuid)

    async def _searched(self, username: str, uuid: str) -> str:
        query = {"username": username, "orderby": "UserName"}
        listed = await self._pages.all(Operation.USER_SEARCH, "users", query=query) or []
        same = [entry for entry in listed if _is_same(entry.text("uuid"), uuid)]
        return same[0].identifier("id") if len(same) == 1 else ""

    async def _device_number(self, uuid: str) -> str:
        """The numeric id of a device by UUID (version 2), by its UDID if that object lacks it."""
        if not UUID.fullmatch(uuid):
            return ""
        found = await self._api.one(Operation.DEVICE_BY_UUID, uuid)
        if found is None or not _is_same(found.members.text("uuid"), uuid):
            return ""
        number = found.members.identifier("id")
        udid = found.members.text("udid")
        if number or not udid:
            return number
        query = {"searchBy": "Udid", "id": udid}
        again = await self._api.one(Operation.DEVICE_BY_KIND, query=query)
        is_it = again is not None and _is_same(again.members.text("uuid"), uuid)
        return again.members.identifier("id") if again is not None and is_it else ""


def _is_same(answered: str, asked: str) -> bool:
    return bool(asked) and answered.casefold() == asked.casefold()
