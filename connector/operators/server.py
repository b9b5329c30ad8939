"""The operators' socket: create, protect and remove it."""

import contextlib
import socket
from collections.abc import Collection
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from aiohttp import web

from connector.core.errors import Permanent
from connector.operators.handlers import Handlers
from connector.operators.peer import gatekeeper
from connector.operators.routes import admin_app

OWN_USER = (0o700, 0o600)
LISTED_USERS = (0o711, 0o666)
"""Modes of directory and socket; who may pass the socket is decided by the kernel's word."""
GRACE = 5.0


class AdminServer:
    """Serves operators on a Unix socket while it is open (``async with``).

    Args:
        handlers: answer the requests.
        path: the socket; its directory is made where it is missing, with mode 0700 (0711 when
            other users are allowed). The mode of a directory that is there is left alone.
        uids: user ids allowed besides the own one and root.

    Raises:
        Permanent: ``ADM-002`` from ``__aenter__`` when the socket cannot be made, or another
            process serves it.
    """

    def __init__(self, handlers: Handlers, path: Path, uids: Collection[int] = ()) -> None:
        self._app = admin_app(handlers, gatekeeper(uids))
        self._path = path
        self._modes = LISTED_USERS if uids else OWN_USER
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Make the socket and answer on it."""
        try:
            listener = self._listen()
        except OSError as error:
            raise Permanent("ADM-002", f"making {self._path}: {error.strerror or error}") from error
        runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=GRACE)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        self._stack.callback(self._path.unlink, missing_ok=True)
        await web.SockSite(runner, listener).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Finish running requests, then remove the socket."""
        await self._stack.aclose()

    def _listen(self) -> socket.socket:
        directory, mode = self._modes
        if not self._path.parent.exists():
            self._path.parent.mkdir(mode=directory, parents=True)
            self._path.parent.chmod(directory)  # for any umask
        self._clear()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(self._path))
            self._path.chmod(mode)
            listener.listen()
        except OSError:
            listener.close()
            raise
        return listener

    def _clear(self) -> None:
        """Remove a stale socket, but not that of a running process, and nothing else."""
        if not self._path.is_socket():
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(self._path))
            except ConnectionRefusedError:
                with contextlib.suppress(FileNotFoundError):
                    self._path.unlink()
                return
        raise Permanent("ADM-002", f"making {self._path}: another process serves it")
