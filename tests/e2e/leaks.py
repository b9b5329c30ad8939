"""The end of every end-to-end run: looking for planted secrets wherever the service left traces."""

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import aiohttp

from connector_testkit.demo.secret_scan import LEAST, Searcher
from tests.e2e.world import World

PROBES = ("livez", "readyz", "metrics")
GONE = (FileNotFoundError, ProcessLookupError, PermissionError)


async def leaks(world: World) -> dict[str, int]:
    """Stop the service and search all that it left; hits by place, nothing when all is well.

    Keys, bundles and their passwords may be nowhere, nor in the memory of service and forkserver.
    The service's own credentials are in its memory by right, and nowhere else.
    """
    planted = await world.planted()
    keys, both = Searcher(planted), Searcher([*planted, *_credentials(world)])
    found: dict[str, int] = {}
    if world.connector.running:
        found |= {name: both.hits([text]) async for name, text in _answers(world)}
        found |= _in_processes(world, keys, both)
        found |= {f"{place} while open": n for place, n in both.in_files(world.written).items()}
        await world.connector.stop()
    found |= both.in_files(world.written)
    return {place: count for place, count in found.items() if count}


def _credentials(world: World) -> Iterator[bytes]:
    """Passwords and signing secrets, and the lines of the private keys for TLS."""
    for value in world.secrets.values.values():
        yield value.encode()
    for file in (world.secrets.tls.key, world.tls[0] / "client.key"):
        lines = file.read_bytes().splitlines()[1:-1]
        yield from (line for line in lines if len(line) >= LEAST)


def _in_processes(world: World, keys: Searcher, both: Searcher) -> dict[str, int]:
    found = {f"{path}": both.hits([text]) for path, text in _told(world.family())}
    for name, pid in zip(("service", "forkserver"), world.family(), strict=False):
        for place, count in keys.in_process(pid).items():
            found[f"{place} of the {name}"] = count
    return found


def _told(pids: list[int]) -> Iterator[tuple[Path, bytes]]:
    """Environment and arguments of processes, hand-over processes among them."""
    for pid in pids:
        for name in ("environ", "cmdline"):
            path = Path("/proc") / str(pid) / name
            with suppress(*GONE):
                yield path, path.read_bytes()


async def _answers(world: World) -> AsyncIterator[tuple[str, bytes]]:
    """What the service answers to probes, to operators, and to a caller with a wrong password."""
    service = world.connector.settings["service"]
    port = service["observe"]["listen"]["port"]
    async with aiohttp.ClientSession() as session:
        for probe in PROBES:
            yield await _asked(session, f"http://127.0.0.1:{port}/{probe}")
        trust = ssl.create_default_context(cafile=world.secrets.tls.ca)
        hook = f"https://127.0.0.1:{service['intake']['listen']['port']}/hooks"
        wrong = aiohttp.encode_basic_auth("uem-events", "wrong")
        yield await _asked(
            session, f"{hook}/workspace-one/acme-uem", ssl=trust, headers={"Authorization": wrong}
        )
    socket = aiohttp.UnixConnector(service["admin"]["socket"])
    async with aiohttp.ClientSession(connector=socket) as session:
        for path in ("overview", "subjects", "audit", "version"):
            yield await _asked(session, f"http://operator/v1/{path}")
        for actor in world.actors:
            query = f"kind=holder&name={quote(actor.holder, safe='')}"
            yield await _asked(session, f"http://operator/v1/subject?{query}")


async def _asked(
    session: aiohttp.ClientSession, url: str, **more: ssl.SSLContext | dict[str, str]
) -> tuple[str, bytes]:
    async with session.get(url, **more) as response:  # type: ignore[arg-type]
        text = await response.read()
        return url, repr(list(response.raw_headers)).encode() + text
