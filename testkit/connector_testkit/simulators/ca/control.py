"""A typed client of the control API, for the demo and for tests."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self, TypeVar

from aiohttp import ClientSession, ClientTimeout
from pydantic import BaseModel, TypeAdapter

from connector.core.model import Usage
from connector_testkit.simulators.ca.commands import (
    CertificateInfo,
    Decision,
    Issue,
    LedgerEntry,
    LieOrder,
    Markers,
    NewPerson,
    NotificationInfo,
    NotifyFaults,
    Operation,
    Renew,
    RequestInfo,
    Revoke,
    Webhook,
)

Answer = TypeVar("Answer")
TIME_LIMIT = ClientTimeout(total=60)


class CaControl:
    """Orders and looks of one simulated CA; used as ``async with CaControl(url) as control:``.

    Every verb raises ``aiohttp.ClientResponseError`` when the CA refuses it.
    """

    def __init__(self, url: str) -> None:
        """Take the control address, ``http://127.0.0.1:PORT``."""
        self._url = url.rstrip("/")
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the connection pool."""
        self._session = ClientSession(timeout=TIME_LIMIT, raise_for_status=True)
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        """Close the connection pool; closing twice is harmless."""
        if self._session is not None:
            await self._session.close()

    async def put_person(self, person: NewPerson) -> None:
        """Add a person, or replace their record."""
        await self._order("persons", person)

    async def issue(self, order: Issue) -> CertificateInfo:
        """Issue and escrow a certificate; with ``notify`` the webhook says so."""
        return await self._order_for("issue", order, CertificateInfo)

    async def renew(
        self, person: str, usage: Usage = Usage.ENCRYPTION, *, notify: bool = True
    ) -> CertificateInfo:
        """Issue the person's newest generation of this use again, with a new key."""
        order = Renew(person=person, usage=usage, notify=notify)
        return await self._order_for("renew", order, CertificateInfo)

    async def revoke(
        self, fingerprint: str, reason: str = "keyCompromise", *, notify: bool = True
    ) -> CertificateInfo:
        """Revoke a certificate now."""
        order = Revoke(fingerprint=fingerprint, reason=reason, notify=notify)
        return await self._order_for("revoke", order, CertificateInfo)

    async def decide(self, request_id: str, decision: Decision) -> RequestInfo:
        """Grant, deny or expire a recovery request."""
        return await self._order_for(f"requests/{request_id}/{decision.value}", None, RequestInfo)

    async def lie(self, order: LieOrder) -> None:
        """Have the CA tell a lie from now on."""
        await self._order("lies", order)

    async def be_honest(self) -> None:
        """Take all lies back."""
        async with self._open().delete(f"{self._url}/_sim/lies"):
            return

    async def release(self) -> None:
        """Let all stalled requests go on."""
        await self._order("release", None)

    async def set_webhook(self, webhook: Webhook) -> None:
        """Where notifications go from now on."""
        await self._order("webhook", webhook)

    async def fault_notifications(self, faults: NotifyFaults) -> None:
        """Drop or double the next notifications."""
        await self._order("notify-faults", faults)

    async def requests(self) -> list[RequestInfo]:
        """All recovery requests that were not cleaned up."""
        return await self._look("requests", list[RequestInfo])

    async def certificates(self, person: str | None = None) -> list[CertificateInfo]:
        """All generations, oldest first, of one person or of all."""
        query = {} if person is None else {"person": person}
        return await self._look("certificates", list[CertificateInfo], query)

    async def ledger(self, since: int = 0) -> list[LedgerEntry]:
        """Every request that the escrow API received, from entry number ``since`` on."""
        return await self._look("ledger", list[LedgerEntry], {"since": str(since)})

    async def wait_for(self, operation: Operation, count: int) -> int:
        """Wait until ``count`` requests of a kind arrived in all; how many there are."""
        query = {"operation": operation.value, "count": str(count)}
        return (await self._look("ledger/wait", dict[str, int], query))["count"]

    async def markers(self) -> Markers:
        """Pieces of every private key and password, to search for where none may be."""
        return await self._look("markers", Markers)

    async def notifications(self) -> list[NotificationInfo]:
        """Every notification so far and what became of it."""
        return await self._look("notifications", list[NotificationInfo])

    async def notifications_idle(self) -> None:
        """Wait until every notification was accepted or given up."""
        async with self._open().get(f"{self._url}/_sim/notifications/idle"):
            return

    async def _order(self, path: str, order: BaseModel | None) -> bytes:
        body = None if order is None else order.model_dump_json().encode()
        async with self._open().post(f"{self._url}/_sim/{path}", data=body) as response:
            return await response.read()

    async def _order_for(self, path: str, order: BaseModel | None, answer: type[Answer]) -> Answer:
        return TypeAdapter(answer).validate_json(await self._order(path, order))

    async def _look(
        self, path: str, answer: type[Answer], query: Mapping[str, str] | None = None
    ) -> Answer:
        async with self._open().get(f"{self._url}/_sim/{path}", params=query) as response:
            return TypeAdapter(answer).validate_json(await response.read())

    def _open(self) -> ClientSession:
        if self._session is None:
            raise RuntimeError("using the control client outside its `async with`")
        return self._session
