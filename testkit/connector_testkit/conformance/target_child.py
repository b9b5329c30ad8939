"""A process of its own that delivers: only such a one may hold key material.

``python -m connector_testkit.conformance.target_child`` reads one job per line from standard input
(JSON, shape: :class:`Job`) and answers each with one line (:class:`Outcome`). As in service, each
job has a process of its own, which opens only what the target declares, where the kernel can see to
that.
"""

import asyncio
import base64
import os
import subprocess
import sys
from importlib import import_module
from typing import Any, Never, Self

from pydantic import BaseModel, ConfigDict, JsonValue

from connector.core.errors import ConnectorError, Fault
from connector.core.handover import PluginReference
from connector.core.key_material import KeyMaterial, allow_key_material
from connector.core.model import Millis, Slot
from connector.core.ports import Bundle, Target
from connector.core.reach import SandboxMode
from connector.keys.handover import hardening, sandbox
from connector_testkit.conformance.target_samples import Sample


class ObstacleError(Exception):
    """Raised by ``sending`` on order; it must come out of ``deliver`` as it is."""


class Packed(BaseModel):
    """One bundle on the pipe."""

    model_config = ConfigDict(hide_input_in_errors=True)

    slot: Slot
    fingerprint: str
    pkcs12: str
    password: str

    def bundle(self) -> Bundle:
        """The same as a hand-over has it."""
        material = KeyMaterial(base64.b64decode(self.pkcs12))
        return Bundle(self.slot, self.fingerprint, material, KeyMaterial(self.password.encode()))


class Job(BaseModel):
    """One delivery: ``plugin`` is ``module:class``; ``obstructed`` lets ``sending`` raise."""

    model_config = ConfigDict(hide_input_in_errors=True)

    plugin: str
    name: str
    settings: dict[str, JsonValue]
    holder: str
    bundles: list[Packed]
    obstructed: bool = False


class Outcome(BaseModel):
    """What came of it. ``begun``: how often ``sending`` was called; ``shown``: the error's text."""

    begun: int = 0
    delivered: bool = False
    obstructed: bool = False
    server_time: Millis | None = None
    fault: Fault | None = None
    shown: str = ""


class Deliverer:
    """The parent's end. Use as a context manager; the process ends with it."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, this very module
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._stderr = ""
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> str:
        """End the process; returns all that it wrote to standard error."""
        if self._process.poll() is None:
            _, rest = self._process.communicate()
            self._stderr += rest.decode(errors="replace")
        return self._stderr

    async def deliver(
        self,
        target: Target,
        reference: PluginReference,
        holder: str,
        samples: list[Sample],
        *,
        obstructed: bool = False,
    ) -> Outcome:
        """Let the process deliver with a target of the class and settings of this one."""
        plugin = type(target)
        job = {
            "plugin": f"{plugin.__module__}:{plugin.__qualname__}",
            "name": reference.name,
            "settings": reference.settings,
            "holder": holder,
            "bundles": [each.as_json() for each in samples],
            "obstructed": obstructed,
        }
        line = Job.model_validate(job).model_dump_json()
        return Outcome.model_validate_json(await asyncio.to_thread(self._exchange, line))

    def _exchange(self, line: str) -> bytes:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the delivering process has no pipes")
        stdin.write(line.encode() + b"\n")
        stdin.flush()
        return stdout.readline()


async def _carry_out(job: Job) -> Outcome:
    module, _, name = job.plugin.partition(":")
    plugin: Any = getattr(import_module(module), name)
    target: Target = plugin(job.name, plugin.settings_model.model_validate(job.settings))
    bundles = [each.bundle() for each in job.bundles]
    outcome = Outcome()

    def sending() -> None:
        outcome.begun += 1
        if job.obstructed:
            raise ObstacleError

    sandbox.enter(target.reach(), SandboxMode.WHEN_AVAILABLE)
    try:
        async with target:
            delivered = await target.deliver(job.holder, bundles, sending)
            outcome.delivered, outcome.server_time = True, delivered.server_time
    except ConnectorError as error:
        outcome.fault, outcome.shown = error.fault(), f"{error!r} {target!r} {bundles!r}"
    except ObstacleError:
        outcome.obstructed = True
    return outcome


def main() -> None:
    """Serve jobs until standard input ends."""
    allow_key_material()
    hardening.forbid_gains()
    sandbox.prepare()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _answer(line)
        os.waitpid(pid, 0)


def _answer(line: str) -> Never:
    """The life of one process; it ends without the ending of the one that it was forked from."""
    outcome = asyncio.run(_carry_out(Job.model_validate_json(line)))
    os.write(sys.stdout.fileno(), f"{outcome.model_dump_json()}\n".encode())
    os._exit(os.EX_OK)


if __name__ == "__main__":
    main()
