"""Acme's interface: its device management and its CA on one loopback port.

Everything that it refuses, it refuses in its own words: ``{"error": WORD}``.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Self

from aiohttp import web

from connector_testkit.conformance.target_world import Trouble
from toy import Toy, mails

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HOST = "127.0.0.1"


class ToyServer:
    """Serves one :class:`Toy`. Used as ``async with ToyServer(acme, token) as server:``.

    ``stalled`` is set while a request hangs.
    """

    def __init__(self, acme: Toy, token: str) -> None:
        """Take the system and the token that its clients must have."""
        self._acme = acme
        self._token = token
        self._trouble: Trouble | None = None
        self._released = asyncio.Event()
        self.stalled = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._front])
        app.add_routes(
            [
                web.get("/{part:mdm|ca}/ping", self._ping),
                web.get("/{part:mdm|ca}/events", self._events),
                web.get("/mdm/users", self._search),
                web.get("/mdm/users/{user}", self._user),
                web.put("/mdm/users/{user}/smime", self._upload),
                web.get("/mdm/users/{user}/smime", self._copy),
                web.get("/mdm/devices/{device}", self._device),
                web.post("/mdm/devices/{device}/profiles/{profile}", self._push),
                web.get("/ca/persons/{person}", self._person),
                web.get("/ca/persons/{person}/requests", self._open),
                web.put("/ca/requests/{id}", self._begin),
                web.get("/ca/requests/{id}", self._request),
                web.post("/ca/requests/{id}/key/{fingerprint}", self._key),
                web.delete("/ca/requests/{id}", self._end),
            ]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        self.url = f"http://{HOST}:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.disturb(None)
        await self._runner.cleanup()

    def disturb(self, trouble: Trouble | None) -> None:
        """Let this happen to each request from now on; None: behave again."""
        self._trouble = trouble
        self._released.set()
        self._released = asyncio.Event()

    @web.middleware
    async def _front(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await self._disturbed(request, handler)
        answer.headers["Date"] = formatdate(self._acme.now(), usegmt=True)
        return answer

    async def _disturbed(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        trouble, released = self._trouble, self._released
        if request.headers.get("Authorization") != f"Bearer {self._token}":
            return web.Response(status=401)
        answer = await handler(request) if trouble in DOING else _odd(trouble)
        if trouble in {Trouble.STALLS, Trouble.DOES_NOT_ANSWER}:
            self.stalled.set()
            await released.wait()
        if trouble is Trouble.BREAKS_OFF and request.transport is not None:
            request.transport.abort()
        return answer

    async def _ping(self, _request: web.Request) -> web.Response:
        return web.json_response({"service": "acme"})

    async def _events(self, request: web.Request) -> web.Response:
        """Two at a time."""
        told = self._acme.told[request.match_info["part"]]
        start = int(request.query.get("after", "0"))
        if start > len(told):
            return _no("unknown_place", 409)
        page = told[start : start + 2]
        end = start + len(page)
        return web.json_response({"events": page, "next": str(end), "more": end < len(told)})

    async def _search(self, request: web.Request) -> web.Response:
        """Parts of names are enough, as in most searches."""
        text = request.query["text"].lower()
        everybody = map(self._acme.shown, self._acme.users)
        return web.json_response({"users": [one for one in everybody if text in f"{one}".lower()]})

    async def _user(self, request: web.Request) -> web.Response:
        user = request.match_info["user"]
        if user not in self._acme.users:
            return _no("unknown_user")
        return web.json_response(self._acme.shown(user))

    async def _device(self, request: web.Request) -> web.Response:
        device = request.match_info["device"]
        if device not in self._acme.devices:
            return _no("unknown_device")
        return web.json_response(self._acme.reported(device))

    async def _upload(self, request: web.Request) -> web.Response:
        user = request.match_info["user"]
        pairs = frozenset(self._acme.opened(await request.read()))
        if user not in self._acme.users:
            return _no("unknown_user")
        self._acme.take(user, pairs)
        return web.Response(status=204)

    async def _copy(self, request: web.Request) -> web.Response:
        user = request.match_info["user"]
        if user not in self._acme.users:
            return _no("unknown_user")
        return web.json_response({"held": self._acme.held(user)})

    async def _push(self, request: web.Request) -> web.Response:
        device, profile = request.match_info["device"], request.match_info["profile"]
        if profile not in self._acme.devices.get(device, {}).get("profiles", ()):
            return _no("unknown_device")
        self._acme.fetch(device)
        return web.Response(status=204)

    async def _person(self, request: web.Request) -> web.Response:
        person = request.match_info["person"]
        if person not in self._acme.people:
            return _no("unknown_person")
        chain = [_text(der) for der in self._acme.issuers()]
        certificates = [
            {"certificate": _text(one.der), "chain": chain, "usage": one.usage}
            for one in self._acme.people[person]
        ]
        shown = {"person": person, "mails": mails(person), "certificates": certificates}
        return web.json_response(shown)

    async def _open(self, request: web.Request) -> web.Response:
        person = request.match_info["person"]
        if person not in self._acme.people:
            return _no("unknown_person")
        found = [one for one in self._acme.requests.values() if one["person"] == person]
        return web.json_response({"requests": found})

    async def _begin(self, request: web.Request) -> web.Response:
        """The same id is the same request, however often it is sent."""
        asked, name = await request.json(), request.match_info["id"]
        person, fingerprint = asked["person"], asked["fingerprint"]
        if person not in self._acme.people:
            return _no("unknown_person")
        if self._acme.escrowed(person, fingerprint) is None:
            return _no("unknown_certificate")
        state = "pending" if self._acme.people_decide else "granted"
        new = {"id": name, "person": person, "fingerprint": fingerprint, "state": state}
        known = self._acme.requests.setdefault(name, new)
        if known["fingerprint"] != fingerprint:
            return _no("other_certificate", 409)
        return web.json_response(known)

    async def _request(self, request: web.Request) -> web.Response:
        known = self._acme.requests.get(request.match_info["id"])
        return _no("unknown_request") if known is None else web.json_response(known)

    async def _key(self, request: web.Request) -> web.Response:
        known = self._acme.requests.get(request.match_info["id"])
        if known is None:
            return _no("unknown_request")
        if known["fingerprint"] != request.match_info["fingerprint"]:
            return _no("other_certificate", 409)
        escrowed = self._acme.escrowed(known["person"], known["fingerprint"])
        if known["state"] != "granted" or escrowed is None:
            return _no("not_granted", 409)
        password = await request.read()
        bundle = escrowed.bundle(password)
        self._acme.secrets += [password, bundle[-32:]]
        return web.Response(body=bundle, content_type="application/pkcs12")

    async def _end(self, request: web.Request) -> web.Response:
        gone = self._acme.requests.pop(request.match_info["id"], None)
        return _no("unknown_request") if gone is None else web.Response(status=204)


DOING = {None, Trouble.DOES_NOT_ANSWER, Trouble.BREAKS_OFF}
"""What lets Acme do what it was asked."""


def _odd(trouble: Trouble | None) -> web.Response:
    """What Acme answers in trouble, instead of doing what it was asked."""
    match trouble:
        case Trouble.REFUSES_LOGIN:
            return web.Response(status=401)
        case Trouble.ASKS_TO_WAIT:
            return web.Response(status=429, headers={"Retry-After": "7"})
        case Trouble.TALKS_NONSENSE:
            return web.Response(text="<p>Welcome</p>", content_type="text/html")
        case Trouble.TALKS_TOO_MUCH:
            return web.Response(text="x" * 5_000_000)
        case Trouble.REDIRECTS:
            return web.Response(status=302, headers={"Location": "https://x/"})
        case _:
            return web.Response(status=500)


def _no(word: str, status: int = 404) -> web.Response:
    return web.json_response({"error": word}, status=status)


def _text(der: bytes) -> str:
    return base64.b64encode(der).decode()
