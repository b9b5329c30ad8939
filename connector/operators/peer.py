"""Who is at the other end of a Unix socket (unix(7), ``SO_PEERCRED``)."""

import asyncio
import os
import socket
import struct
from collections.abc import Collection

from aiohttp import web
from aiohttp.typedefs import Middleware

from connector.core.errors import Rejected
from connector.operators.answers import Handler
from connector.operators.verbs.verb import LONGEST_NAME, Operator

CREDENTIALS = struct.Struct("3i")
"""``struct ucred``: process, user and group id, each an ``int``."""
NAME_HEADER = "X-Operator"
OPERATOR: web.RequestKey[Operator] = web.RequestKey("operator", Operator)


def peer_uid(request: web.Request) -> int:
    """The user id of the peer, as the kernel knows it; raises as :func:`uid_behind`."""
    return uid_behind(request.transport)


def uid_behind(transport: asyncio.BaseTransport | None) -> int:
    """The user id at the other end of a connection, as the kernel knows it.

    Raises:
        Rejected: ``AUTH-004`` when the connection is gone or is no Unix socket.
    """
    known = transport.get_extra_info("socket") if transport else None
    if known is None or known.family != socket.AF_UNIX:
        raise Rejected("AUTH-004", "asking who the peer is: no Unix socket")
    with socket.socket(fileno=os.dup(known.fileno())) as connection:
        packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    uid: int = CREDENTIALS.unpack(packed)[1]
    return uid


def gatekeeper(uids: Collection[int]) -> Middleware:
    """A middleware that admits the service's own user, root, and these user ids only."""
    allowed = {os.getuid(), 0, *uids}

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        uid = peer_uid(request)
        if uid not in allowed:
            raise Rejected("AUTH-004", "the user id is not among admin.uids")
        request[OPERATOR] = Operator(uid=uid, name=_printable(request.headers.get(NAME_HEADER, "")))
        return await handler(request)

    return check


def _printable(name: str) -> str:
    """The stated name as it is recorded in the audit log: one short printable line."""
    return "".join(char for char in name if char.isprintable())[:LONGEST_NAME].strip()
