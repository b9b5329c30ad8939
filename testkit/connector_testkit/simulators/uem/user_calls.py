"""``/system/…``: the probe, searching and reading users, uploading their certificates."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from connector_testkit.simulators.uem.answers import ApiError, json_answer, page_or_nothing
from connector_testkit.simulators.uem.bundles import BadBundleError
from connector_testkit.simulators.uem.call import Call
from connector_testkit.simulators.uem.records import User
from connector_testkit.simulators.uem.shapes import user_object
from connector_testkit.simulators.uem.shapes_v2 import user_object_v2
from connector_testkit.simulators.uem.tenant import Tenant
from connector_testkit.simulators.uem.uploads import Uploads

ORDERS: dict[str, Callable[[User], Any]] = {
    "username": lambda user: user.username.lower(),
    "emailaddress": lambda user: user.email.lower(),
    "firstname": lambda user: user.first_name.lower(),
    "lastname": lambda user: user.last_name.lower(),
    "name": lambda user: (user.first_name.lower(), user.last_name.lower()),
    "active": lambda user: user.active,
    "enrollmentuserid": lambda user: user.id,
}
FILTERS: dict[str, Callable[[User], str]] = {
    "username": lambda user: user.username,
    "email": lambda user: user.email,
    "firstname": lambda user: user.first_name,
    "lastname": lambda user: user.last_name,
}


class UserCalls:
    """Handlers of the user interface."""

    def __init__(self, tenant: Tenant, uploads: Uploads) -> None:
        self._tenant = tenant
        self._uploads = uploads

    async def info(self, _: Call) -> web.Response:
        """``GET system/info``: 200 when tenant code and credentials are right."""
        product = {"ProductName": "AirWatch Platform Service", "ProductVersion": "23.6.0.0"}
        return json_answer(product)

    async def search(self, call: Call) -> web.Response:
        """``GET system/users/search``: matches parts of names; in no order unless one is asked."""
        found = [user for user in self._tenant.users.values() if _fits(user, call)]
        call.sort(found, ORDERS, self._tenant.dice)
        part, page = call.page(found, self._tenant.behaviour.page_limit)
        shown = [user_object(user, self._devices(user)) for user in part]
        return page_or_nothing({"Users": shown, **page}, "Users")

    async def one(self, call: Call) -> web.Response:
        """``GET system/users/{id}`` with the numeric id."""
        user = self._known(call)
        return json_answer(user_object(user, self._devices(user)))

    async def one_by_uuid(self, call: Call) -> web.Response:
        """``GET system/users/{uuid}``, version 2: camel case."""
        for user in self._tenant.users.values():
            if user.uuid == call.args["uuid"].lower():
                return json_answer(user_object_v2(user))
        raise self._unknown()

    async def upload(self, call: Call) -> web.Response:
        """``POST system/users/{id}/uploadsmimecerts``: replaces the whole set, answers nothing."""
        user = self._known(call)
        body = await call.request.read()
        try:
            self._uploads.accept(user.id, body, is_xml="xml" in call.request.content_type)
        except BadBundleError as refusal:
            raise ApiError.invalid(str(refusal)) from None
        return web.Response(status=self._tenant.behaviour.upload_status)

    def _known(self, call: Call) -> User:
        user = self._tenant.users.get(int(call.args["id"]))
        if user is None:
            raise self._unknown()
        return user

    def _unknown(self) -> ApiError:
        return ApiError.invalid("User not found", self._tenant.behaviour.unknown_user_status)

    def _devices(self, user: User) -> int:
        mine = self._tenant.devices_of(user.id)
        return sum(self._tenant.shown(device) is not None for device in mine)


def _fits(user: User, call: Call) -> bool:
    """Whether every given filter is a part of its attribute, in any case."""
    parts = ((read, call.query.get(name, "").lower()) for name, read in FILTERS.items())
    if not all(part in read(user).lower() for read, part in parts):
        return False
    status = call.query.get("status", "").lower()
    return status not in {"active", "inactive"} or user.active == (status == "active")
