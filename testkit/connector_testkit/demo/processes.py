"""Child processes of the demo: started with a log file each, waited for, killed by their own id."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from connector.keys.handover.hardening import end_with_parent
from connector_testkit.demo.polling import patience

COMMAND = (sys.executable, "-m", "connector")


def environment() -> dict[str, str]:
    """What a child inherits: where programs are, and nothing else of ours."""
    kept = ("PATH", "LANG", "LC_ALL", "HOME", "PYTHONDONTWRITEBYTECODE", "SYSTEMROOT")
    return {name: os.environ[name] for name in kept if name in os.environ}


class Process:
    """One child process. Standard output goes line by line to a file and to :meth:`line`."""

    def __init__(
        self, name: str, arguments: tuple[str, ...], log: Path, command: tuple[str, ...] = COMMAND
    ) -> None:
        """Name it; :meth:`start` starts ``command`` with these arguments."""
        self.name = name
        self._command = (*command, *arguments)
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._lines: list[Mapping[str, Any]] = []
        self._more = asyncio.Condition()
        self._silent = False

    @property
    def pid(self) -> int:
        """The id of the running process."""
        if self._process is None:
            raise RuntimeError(f"{self.name} is not started")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has been started and not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it; the kernel ends it when this process ends, however that comes."""
        self._lines.clear()
        self._silent = False
        with self._log.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env=environment(),
                preexec_fn=partial(end_with_parent, os.getpid()),
            )
        self._reading = asyncio.create_task(self._read(self._process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        stream = process.stdout
        while stream is not None and (line := await stream.readline()):
            with self._log.open("ab") as log:
                log.write(line)
            await self._heard(line)
        async with self._more:
            self._silent = True
            self._more.notify_all()

    async def _heard(self, line: bytes) -> None:
        try:
            said = json.loads(line)
        except ValueError:
            return
        async with self._more:
            self._lines.append(said)
            self._more.notify_all()

    async def line(self, fits: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
        """The first JSON line that fits, said before or after this call.

        Raises:
            TimeoutError: when none came in time.
            RuntimeError: when the process ended without it.
        """
        async with asyncio.timeout(patience()), self._more:
            await self._more.wait_for(
                lambda: self._silent or any(fits(line) for line in self._lines)
            )
            for line in self._lines:
                if fits(line):
                    return line
        raise RuntimeError(f"{self.name} ended without saying what was waited for")

    async def kill(self) -> None:
        """End it as a crash would (SIGKILL), and wait until it is gone."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """Ask it to end (SIGTERM), and wait; its exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        if self._process.returncode is None:
            self._process.send_signal(number)
        try:
            async with asyncio.timeout(patience()):
                code = await self._process.wait()
        except TimeoutError:
            self._process.kill()
            code = await self._process.wait()
        if self._reading is not None:
            await self._reading
        return code


async def run_command(
    *arguments: str, log: Path, columns: int | None = None, command: tuple[str, ...] = COMMAND
) -> tuple[int, str]:
    """Run ``command`` with arguments: exit code and standard output, which the log gets too.

    ``columns`` is how wide it may print; None: as wide as it likes.
    """
    width = {} if columns is None else {"COLUMNS": str(columns)}
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *command,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env=environment() | width,
        )
        async with asyncio.timeout(patience()):
            out, _ = await process.communicate()
    with log.open("ab") as output:
        output.write(out)
    return process.returncode or 0, out.decode()
