"""The settings with which the real service uses Acme's plug-ins, and what it says of itself."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from connector_testkit.demo.pod import Pod
from connector_testkit.demo.ports import HOST, free_port
from connector_testkit.demo.process_tree import family
from connector_testkit.simulators.tls import TlsFiles
from toy import PROFILE

USER = "acme-events"
PULL = {"pull": {"every": "500ms"}}


def webhook(kept: Path) -> dict[str, Any]:
    """The section of a UEM that posts its notifications; ``kept``: the folder with the secrets."""
    login = {"user": USER, "password_file": str(kept / "webhook")}
    return {"webhook": {"credentials": [login]}}


def settings(
    folder: Path, address: str, kept: Path, tls: TlsFiles, news: dict[str, Any]
) -> dict[str, Any]:
    """UEM, CA and source are all of the type ``acme``; the waits are short.

    Args:
        folder: where the service writes.
        address: Acme's.
        kept: the folder with the secrets' files.
        tls: of the webhook listener.
        news: how the UEM's events come, :func:`webhook` or :data:`PULL`.
    """
    acme = {"type": "acme", "address": address, "token_file": str(kept / "token")}
    return {
        "service": {
            "intake": {
                "listen": {"host": HOST, "port": free_port()},
                "tls": {"certificate_file": str(tls.certificate), "key_file": str(tls.key)},
            },
            "observe": {"listen": {"host": HOST, "port": free_port()}},
            "admin": {"socket": str(folder / "run" / "admin.sock")},
        },
        "journal": {"path": str(folder / "journal" / "journal.sqlite"), "partitions": 1},
        "audit": {"key_file": str(kept / "audit")},
        "handover": {"accept_unlocked_memory": True},
        "uems": {"main": acme | news},
        "cas": {"corp": acme},
        "routes": {"staff": route()},
    }


def route() -> dict[str, Any]:
    """Who is who, which keys, and how long Acme keeps them."""
    return {
        "uem": "main",
        "ca": "corp",
        "identity": {"person_attribute": "username", "agreeing_attribute": "email"},
        "signing": "required",
        "other_devices": "hold",
        "unknown_set": "replace",
        "profiles": {"apple": PROFILE},
        "retention": "4s",
        "retention_margin": "1s",
        "hand_over_limit": "10s",
        "hand_over_margin": "500ms",
        "retry": {"first": "200ms", "cap": "2s"},
        "look_every": {"first": "200ms", "cap": "1s"},
    }


async def told(service: Pod) -> AsyncIterator[bytes]:
    """All outputs of the running service, and what its processes show."""
    port = service.settings["service"]["observe"]["listen"]["port"]
    async with aiohttp.ClientSession() as session:
        for page in ("livez", "readyz?verbose", "metrics"):
            async with session.get(f"http://{HOST}:{port}/{page}") as answer:
                yield await answer.read()
    for command in (("status",), ("status", "holder"), ("audit", "export")):
        _, text = await service.tell(*command)
        yield text.encode()
    for pid in family(service.pid):
        for name in ("environ", "cmdline"):
            yield (Path("/proc") / str(pid) / name).read_bytes()
