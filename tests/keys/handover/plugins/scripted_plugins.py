"""An escrow backend and a target that do, inside the hand-over process, what a test tells them.

They stand for a plug-in that is slow, broken, or taken over. Keys come from files that the test
wrote, so no network is involved.
"""

import asyncio
import json
import os
import pickle
import resource
import select
import signal
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import ClassVar, NamedTuple, Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    load_der_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from pydantic import BaseModel, ConfigDict

from connector import boot
from connector.core.errors import Permanent, Transient
from connector.core.key_material import KeyMaterial
from connector.core.model import Generation, PersonRecord
from connector.core.ports import (
    Bundle,
    Delivered,
    EscrowCapabilities,
    EscrowedCertificate,
    EscrowListing,
    RequestPermits,
    TargetCapabilities,
)
from connector.core.reach import Host, Reach

CHANNEL = 3


class Script(BaseModel):
    """``folder``: where the test put listing and keys. ``acts``: verb → what to do before it.

    ``hosts``: what the plug-in declares besides the folder, and a named pipe in it.
    """

    model_config = ConfigDict(extra="forbid")

    folder: Path
    acts: dict[str, str] = {}
    hosts: tuple[Host, ...] = ()


class Marker:
    """Unpickled, it would create the file named in it."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, int, int]]:
        return os.open, (self.path, os.O_CREAT, 0o600)


def _says(line: bytes) -> None:
    os.write(CHANNEL, line + b"\n")


async def _stall(_: "Place") -> None:
    await asyncio.Event().wait()


async def _stall_heard(place: "Place") -> None:
    place.tell()
    await asyncio.Event().wait()


async def _stop(place: "Place") -> None:
    place.tell()
    os.kill(os.getpid(), signal.SIGSTOP)


async def _say(place: "Place") -> None:
    _says(place.argument.encode())


async def _say_and_stall(place: "Place") -> None:
    _says(place.argument.encode())
    await asyncio.Event().wait()


async def _pickle(place: "Place") -> None:
    _says(pickle.dumps(Marker(str(place.folder / "unpickled"))))
    await asyncio.Event().wait()


async def _flood(_: "Place") -> None:
    for _megabyte in range(1024):
        os.write(CHANNEL, b"x" * 1024 * 1024)


async def _burn(_: "Place") -> None:
    while True:
        sum(range(1000))


async def _deaf(_: "Place") -> None:
    """Undo what the process was locked down with, as far as it can be undone."""
    boot.alarm_at(boot.seconds() + 3600)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM, signal.SIGIO, signal.SIGTERM})
    select.select([], [], [])


async def _hoard(_: "Place") -> None:
    bytearray(2 * 1024**3)


async def _dump(place: "Place") -> None:
    place.folder.joinpath("dump").write_bytes(b"key")


async def _signal(place: "Place") -> None:
    os.kill(os.getpid(), int(place.argument))


async def _mistake(_: "Place") -> None:
    raise KeyError("a mistake")


async def _fail(place: "Place") -> None:
    raise Transient(place.argument, "failing on purpose")


_came: set[str] = set()


def _comes_again(place: "Place") -> bool:
    """Whether this act happened before in this process."""
    came = place.verb in _came
    _came.add(place.verb)
    return came


async def _fail_once(place: "Place") -> None:
    if not _comes_again(place):
        raise Transient(place.argument, "failing on purpose, this once")


async def _refuse_later(place: "Place") -> None:
    if not _comes_again(place):
        raise Transient("UEM-002", "failing on purpose, this once")
    raise Permanent(place.argument, "refusing on purpose")


async def _refuse(place: "Place") -> None:
    raise Permanent(place.argument, "refusing on purpose")


async def _tell(_: "Place") -> None:
    raise Permanent("CA-412", json.dumps(_seen_from_inside(), separators=(",", ":")))


async def _break_out(place: "Place") -> None:
    """Try everything; the module is beside this one, where no type checker looks."""
    ended = import_module("break_out").tried(json.loads(place.argument))
    (place.folder / "reached").write_text(f"{json.dumps(ended)}\n")


def _seen_from_inside() -> dict[str, object]:
    status = Path("/proc/self/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    names = ("CORE", "CPU", "NOFILE", "FSIZE", "AS")
    return {
        "environment": sorted(os.environ),
        "descriptors": sorted(int(one.name) for one in Path("/proc/self/fd").iterdir())[:5],
        "limits": {one: resource.getrlimit(getattr(resource, f"RLIMIT_{one}"))[0] for one in names},
        "locked": fields["VmLck"].strip(),
        "privileges": fields["NoNewPrivs"].strip(),
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
    }


async def _nothing(_: "Place") -> None:
    return


ACTS: dict[str, Callable[["Place"], Awaitable[None]]] = {
    "": _nothing,
    "stall": _stall,
    "stall-heard": _stall_heard,
    "stop": _stop,
    "say": _say,
    "say-and-stall": _say_and_stall,
    "pickle": _pickle,
    "flood": _flood,
    "burn": _burn,
    "deaf": _deaf,
    "hoard": _hoard,
    "dump": _dump,
    "signal": _signal,
    "mistake": _mistake,
    "fail": _fail,
    "fail-once": _fail_once,
    "refuse": _refuse,
    "refuse-later": _refuse_later,
    "tell": _tell,
    "break-out": _break_out,
}


class Place(NamedTuple):
    """Where in the hand-over an act happens."""

    folder: Path
    verb: str
    argument: str

    def tell(self) -> None:
        """Tell the test, through a named pipe, where this process is and which it is."""
        (self.folder / "reached").write_text(f"{self.verb} {os.getpid()}\n")


class _Scripted:
    name: ClassVar[str] = "scripted"
    settings_model: ClassVar[type[BaseModel]] = Script

    def __init__(self, name: str, settings: Script, _permits: RequestPermits) -> None:
        self.upstream = name
        self.script = settings

    def reach(self) -> Reach:
        reached = self.script.folder / "reached"
        own = Path("/proc/self")
        return Reach(hosts=self.script.hosts, files=(self.script.folder, own), sockets=(reached,))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is open."""

    async def act(self, verb: str) -> None:
        name, _, argument = self.script.acts.get(verb, "").partition("=")
        await ACTS[name](Place(self.script.folder, verb, argument))


class ScriptedEscrow(_Scripted):
    """Lists ``listing.json`` of its folder; the key of a generation is ``FINGERPRINT.key``."""

    capabilities: ClassVar[EscrowCapabilities] = EscrowCapabilities()

    async def list(self, person: str) -> EscrowListing:
        await self.act("list")
        folder = self.script.folder
        listed = tuple(
            EscrowedCertificate(
                generation=Generation.model_validate(one),
                certificate=(folder / f"{one['fingerprint']}.cer").read_bytes(),
            )
            for one in json.loads((folder / "listing.json").read_text())
        )
        record = PersonRecord(person=person, addresses=("ada@example.org",))
        return EscrowListing(person=record, certificates=listed)

    async def fetch(self, request_id: str, fingerprint: str, password: KeyMaterial) -> KeyMaterial:
        await self.act("fetch")
        folder = self.script.folder
        ready = folder / f"{fingerprint}.p12"
        if ready.exists():
            return KeyMaterial(ready.read_bytes())
        key = load_der_private_key((folder / f"{fingerprint}.key").read_bytes(), None)
        certificate = x509.load_der_x509_certificate((folder / f"{fingerprint}.cer").read_bytes())
        protection = BestAvailableEncryption(bytes(password.reveal()))
        return KeyMaterial(
            serialize_key_and_certificates(
                request_id.encode(),
                key,  # type: ignore[arg-type] # the test wrote an RSA or EC key
                certificate,
                None,
                protection,
            )
        )


class ScriptedTarget(_Scripted):
    """Accepts everything, unless ordered otherwise before or after the first byte."""

    capabilities: ClassVar[TargetCapabilities] = TargetCapabilities()

    async def deliver(
        self, holder: str, bundles: Sequence[Bundle], sending: Callable[[], None]
    ) -> Delivered:
        await self.act("before")
        sending()
        await self.act("after")
        return Delivered(server_time=len(holder) + len(bundles))
