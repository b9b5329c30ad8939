"""The whole job with Acme's plug-ins: from the news until the copy is gone, and no secret seen.

The service is the real one, a process of its own, found and configured as an operator would.
"""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

from connector.core.model import Usage
from connector_testkit.demo.pod import Pod
from connector_testkit.demo.polling import until
from connector_testkit.demo.secret_scan import Searcher
from connector_testkit.simulators.tls import TlsFiles, issue_tls
from service import PULL, USER, settings, told, webhook
from toy import Toy
from toy_server import ToyServer

SECRETS = {
    name: f"marker-{name}-{'0123456789abcdef' * 2}" for name in ("token", "webhook", "audit")
}


class Job(NamedTuple):
    """Acme, the service that serves it, and the TLS files of its webhook listener.

    ``posts``: Acme posts its news there; otherwise the service pulls it.
    """

    acme: Toy
    service: Pod
    tls: TlsFiles
    posts: bool


@pytest.fixture(params=["webhook", "pull"])
async def job(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Job]:
    """Acme with one user, who has three encryption certificates and one for signing."""
    acme = Toy(retention=4)
    acme.add_user("7", "mara")
    for days in (1500, 700, 30):
        acme.issue("mara", Usage.ENCRYPTION, days)
    acme.issue("mara", Usage.SIGNING, 30)
    kept, folder = tmp_path / "secrets", tmp_path / "service"
    tls = issue_tls(kept)
    for name, value in SECRETS.items():
        (kept / name).write_text(value, encoding="utf-8")
        (kept / name).chmod(0o600)
    async with ToyServer(acme, SECRETS["token"]) as server:
        posts = request.param == "webhook"
        news = webhook(kept) if posts else PULL
        service = Pod("the service", folder, settings(folder, server.url, kept, tls, news))
        service.configure({})
        await service.start()
        try:
            await service.ready()
            yield Job(acme, service, tls, posts)
        finally:
            await service.stop()


async def test_a_device_that_enrols_gets_all_keys_of_its_user(job: Job) -> None:
    """The set is taken whole, the device has it, the copy is gone, and nothing was let slip.

    Whether the enrolment is posted or pulled.
    """
    acme, service = job.acme, job.service
    acme.add_device("15", "7")
    acme.tell("mdm", "device.enrolled", "15")
    if job.posts:
        assert await notify(job, acme.told["mdm"][0]) == 202
    state = await completed(service)
    wanted = {one.fingerprint for one in acme.people["mara"]}
    assert [{name for _, name in pairs} for _, pairs in acme.taken] == [wanted]
    assert set(acme.devices["15"]["certificates"]) == wanted
    assert set(state["devices"]) == {"main/device/15"}
    assert state["copy"]["state"] == "gone"
    assert not acme.held("7")
    searcher = Searcher([*acme.secrets, *(value.encode() for value in SECRETS.values())])
    said = searcher.hits([text async for text in told(service)])
    written = searcher.in_files(service.folder)
    assert await service.stop() == 0
    assert (said, written, searcher.in_files(service.folder)) == (0, {}, {})


async def notify(job: Job, notice: dict[str, Any]) -> int:
    """Post a notification as Acme does; the status that it was answered with."""
    login = {"Authorization": aiohttp.encode_basic_auth(USER, SECRETS["webhook"])}
    trust = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=job.tls.ca))
    async with (
        aiohttp.ClientSession(headers=login, connector=trust) as session,
        session.post(job.service.url("acme/main"), json=notice) as answer,
    ):
        return answer.status


async def completed(service: Pod) -> dict[str, Any]:
    """What the service says of the user once the delivery is completed and the copy gone."""

    async def look() -> dict[str, Any] | None:
        listed = (await service.ask("status", "holder"))["items"]
        if not [one for one in listed if one["phase"] == "completed"]:
            return None
        state: dict[str, Any] = await service.ask("status", "holder", "main/user/7")
        return state

    return await until("the delivery is completed", look)
