"""Calling the command line from tests."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.operators.world import AdminWorld


class Result(NamedTuple):
    """What a command line printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The code of an error that was printed as JSON."""
        return str(json.loads(self.err)["error"]["code"])


Command = Callable[..., Result]


class Asked:
    """A service with states in it, and the command line that asks it."""

    def __init__(self, world: AdminWorld, command: Command, socket: Path) -> None:
        self.world = world
        self._command = command
        self._socket = socket

    async def __call__(self, *arguments: str, **environment: str) -> Result:
        where = ("--socket", str(self._socket), "--as", "anna")
        return await asyncio.to_thread(self._command, *arguments, *where, **environment)
