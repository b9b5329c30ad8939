"""One request to the REST interface, and what its handler needs to know about it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Self, TypeVar

import orjson
from aiohttp import web

from connector_testkit.simulators.uem.answers import ApiError

ItemT = TypeVar("ItemT")


@dataclass(frozen=True)
class Call:
    """A request that passed authentication. ``query`` has its names in lower case."""

    request: web.Request
    args: dict[str, str]
    query: dict[str, str]

    @classmethod
    def of(cls, request: web.Request, args: dict[str, str]) -> Self:
        """The call that a request makes, ``args`` being the variable parts of its path."""
        return cls(request, args, {name.lower(): value for name, value in request.query.items()})

    def number(self, name: str, default: int) -> int:
        """A query parameter as a number that is not negative. Raises :class:`ApiError`."""
        text = self.query.get(name, str(default))
        if not text.isascii() or not text.isdigit():
            raise ApiError.invalid(f"{name} is not a number")
        return int(text)

    def sort(
        self, found: list[ItemT], orders: Mapping[str, Callable[[ItemT], Any]], dice: Random
    ) -> None:
        """Sort in place as ``orderby`` and ``sortorder`` say; at random where no order is asked."""
        order = orders.get(self.query.get("orderby", "").lower())
        if order is None:
            dice.shuffle(found)
        else:
            descending = self.query.get("sortorder", "ASC").upper() == "DESC"
            found.sort(key=order, reverse=descending)

    async def members(self) -> dict[str, Any]:
        """The JSON object in the body, names in lower case. Raises :class:`ApiError`."""
        try:
            content = orjson.loads(await self.request.read())
        except orjson.JSONDecodeError:
            raise ApiError.invalid("the body is not JSON") from None
        if not isinstance(content, dict):
            raise ApiError.invalid("the body is not an object")
        return {name.lower(): value for name, value in content.items()}

    def page(self, found: Sequence[ItemT], limit: int) -> tuple[list[ItemT], dict[str, int]]:
        """The asked-for page of what was found, and the members that describe it."""
        page, size = self.number("page", 0), min(self.number("pagesize", 500), limit)
        if size == 0:
            raise ApiError.invalid("pagesize is zero")
        part = list(found[page * size : (page + 1) * size])
        return part, {"Page": page, "PageSize": size, "Total": len(found)}


Handler = Callable[[Call], Awaitable[web.Response]]
