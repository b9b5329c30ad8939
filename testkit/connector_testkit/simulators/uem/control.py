"""A client for the control interface, so that a test or a demo needs no HTTP of its own.

What devices and copies are is returned as JSON objects in the shapes of ``docs/simulators.md``.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Self

import aiohttp

Facts = dict[str, Any]

WAIT_STEP = 5.0


class ControlError(Exception):
    """The simulator refused. ``status`` is HTTP's, ``error`` its code, e.g. ``no-key``."""

    def __init__(self, status: int, error: str, details: object = None) -> None:
        self.status = status
        self.error = error
        super().__init__(f"{status} {error} {details or ''}".rstrip())


class UemControl:
    """``async with UemControl(url) as uem: await uem.add_user("mmuster")``.

    Args:
        url: the control interface, without ``/_sim/``.

    Every method raises :class:`ControlError` when the simulator refuses, and aiohttp's
    ``ClientError`` when it cannot be reached.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    # --- users and copies

    async def add_user(self, username: str, **facts: Any) -> int:
        """Add a user; ``facts``: id, email, external_id, group, attributes, … Returns the id."""
        return int((await self._ask("POST", "users", {"username": username, **facts}))["id"])

    async def change_user(self, user: int, **facts: Any) -> Facts:
        """Edit a user as an administrator would."""
        return await self._ask("PATCH", f"users/{user}", facts)

    async def delete_user(self, user: int) -> None:
        """Delete a user and their certificates."""
        await self._ask("DELETE", f"users/{user}")

    async def copy(self, user: int) -> Facts:
        """What the UEM holds of a user's certificates: ``present``, ``upload``, ``slots``."""
        return await self._ask("GET", f"users/{user}/copy")

    async def copies(self) -> list[Facts]:
        """All copies that exist at the moment."""
        return list((await self._ask("GET", "copies"))["copies"])

    async def purge(self, user: int | None = None) -> list[int]:
        """Purge one copy, or all, now. Returns whose were purged."""
        query = "" if user is None else f"?user={user}"
        return list((await self._ask("POST", f"purge{query}"))["purged"])

    # --- devices

    async def enrol(self, user: int, **facts: Any) -> int:
        """Enrol a device; ``facts``: platform, profiles, online, event, … Returns its id."""
        return int((await self._ask("POST", "devices", {"user": user, **facts}))["id"])

    async def unenrol(self, device: int, *, event: bool = True) -> None:
        """Unenrol a device; profile and keys leave it."""
        await self._ask("POST", f"devices/{device}/unenrol", {"event": event})

    async def wipe(self, device: int, *, event: bool = True) -> None:
        """Ask for an enterprise wipe."""
        await self._ask("POST", f"devices/{device}/wipe", {"event": event})

    async def change_device(self, device: int, **facts: Any) -> Facts:
        """Change user, compromised, compliance, system, group, online or install_outcome."""
        return await self._ask("PATCH", f"devices/{device}", facts)

    async def delete_device(self, device: int) -> None:
        """Remove the device's record."""
        await self._ask("DELETE", f"devices/{device}")

    async def device(self, device: int) -> Facts:
        """A device with its profiles and the set that it holds."""
        return await self._ask("GET", f"devices/{device}")

    async def devices(self) -> list[Facts]:
        """All devices."""
        return list((await self._ask("GET", "devices"))["devices"])

    async def assign_profile(self, device: int, profile: int) -> Facts:
        """Assign a profile to a device."""
        return await self._ask("PUT", f"devices/{device}/profiles/{profile}")

    async def remove_profile(self, device: int, profile: int) -> Facts:
        """Take a profile away from a device."""
        return await self._ask("DELETE", f"devices/{device}/profiles/{profile}")

    async def decrypt(self, device: int, message: bytes) -> Facts:
        """Let a device read a mail: ``plaintext``, ``base64``, and the pair that opened it.

        Raises:
            ControlError: 422 with ``no-profile``, ``no-key``, ``not-a-message``, …
        """
        return await self._ask("POST", f"devices/{device}/decrypt", message)

    # --- faults and webhook

    async def fault(self, kind: str, **facts: Any) -> int:
        """Let the REST interface fail; ``facts``: path, method, count, status, … Returns its id."""
        return int((await self._ask("POST", "faults", {"kind": kind, **facts}))["id"])

    async def clear_faults(self, fault: int | None = None) -> None:
        """End one fault, or all."""
        await self._ask("DELETE", "faults" if fault is None else f"faults/{fault}")

    async def webhook_fault(self, kind: str, **facts: Any) -> int:
        """Let the webhook sender misbehave; ``facts``: event, count, seconds. Returns its id."""
        return int((await self._ask("POST", "webhook/faults", {"kind": kind, **facts}))["id"])

    async def clear_webhook_faults(self) -> None:
        """End all of them."""
        await self._ask("DELETE", "webhook/faults")

    async def aim_webhook(self, **target: Any) -> Facts:
        """Post events there from now on: url, user, password_file, ca_file, format."""
        return await self._ask("PUT", "webhook", target)

    async def test_webhook(self) -> int | None:
        """The console's "test connection"; the status that came back, None if nothing did."""
        status = (await self._ask("POST", "webhook/test"))["status"]
        return None if status is None else int(status)

    async def post_event(self, device: int, **changes: Any) -> Facts:
        """Post an event about a device, with these members changed."""
        wanted = {"device": device, "changes": changes}
        return dict((await self._ask("POST", "webhook/events", wanted))["event"])

    # --- clock, switches, records

    async def advance_clock(self, seconds: float) -> Facts:
        """Turn the clock on; what falls due meanwhile has happened when this returns."""
        return await self._ask("PUT", "clock", {"advance": seconds})

    async def set_clock(self, offset: float) -> Facts:
        """Set the clock to the machine's time plus ``offset`` seconds."""
        return await self._ask("PUT", "clock", {"offset": offset})

    async def switch(self, **switches: Any) -> Facts:
        """Turn switches; durations in seconds. Returns all of them."""
        return await self._ask("PATCH", "options", switches)

    async def accept(self, **account: str) -> None:
        """Accept another ``password`` or ``tenant_code`` from now on."""
        await self._ask("PUT", "account", account)

    async def ledger(self, *kinds: str, since: int = 0, wait: float = 0.0) -> list[Facts]:
        """Entries newer than number ``since``; with ``wait`` seconds until there is one."""
        query = "".join(f"&kind={kind}" for kind in kinds)
        path = f"ledger?since={since}&wait={wait}{query}"
        return list((await self._ask("GET", path))["entries"])

    async def wait_for(
        self, kind: str, fits: Callable[[Facts], bool], *, since: int = 0, within: float = 10.0
    ) -> Facts:
        """The first entry of ``kind`` after ``since`` that fits, waiting up to ``within`` seconds.

        Raises:
            TimeoutError: there was none in time.
        """
        async with asyncio.timeout(within):
            while True:
                for entry in await self.ledger(kind, since=since, wait=WAIT_STEP):
                    since = int(entry["seq"])
                    if fits(entry):
                        return entry

    async def markers(self) -> list[Facts]:
        """Traces of every secret that the simulator received."""
        return list((await self._ask("GET", "markers"))["markers"])

    async def summary(self) -> Facts:
        """What the simulator holds, in numbers, and its clock."""
        return await self._ask("GET", "")

    async def reset(self) -> None:
        """Forget everything but the addresses."""
        await self._ask("POST", "reset")

    async def _ask(self, method: str, path: str, body: Facts | bytes | None = None) -> Facts:
        if self._session is None:
            raise RuntimeError("UemControl is used as an async context manager")
        sent = {"data": body} if isinstance(body, bytes) else {"json": body}
        url = f"{self._url}/_sim/{path}"
        async with self._session.request(method, url, **sent) as answer:
            content: Facts = await answer.json()
            if answer.ok:
                return content
            raise ControlError(answer.status, content.get("error", ""), content.get("details"))
