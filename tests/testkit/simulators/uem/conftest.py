"""A running simulator per test, a client that is logged in, and the control interface."""

import contextlib
import io
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from connector_testkit.simulators.uem import UemControl, UemOptions, UemSimulator
from tests.testkit.simulators.uem.keyring import MadePair, make_pair

API_PASSWORD, TENANT_CODE = "marker-api-password", "bWFya2VyLXRlbmFudC1jb2Rl"


@dataclass(frozen=True)
class Answer:
    """What came back, read to its end."""

    status: int
    headers: Any
    body: bytes
    content: Any


@dataclass
class Api:
    """A client of the REST interface with the right credentials."""

    session: aiohttp.ClientSession
    url: str
    trust: ssl.SSLContext
    user: str = "svc.pki"
    password: str = API_PASSWORD
    tenant_code: str | None = TENANT_CODE
    headers: dict[str, str] = field(default_factory=dict)

    async def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        headers = {"Accept": "application/json;version=1", **self.headers}
        headers["Authorization"] = aiohttp.encode_basic_auth(self.user, self.password)
        if self.tenant_code is not None:
            headers["aw-tenant-code"] = self.tenant_code
        sent = {"data": body} if isinstance(body, bytes | io.IOBase) else {"json": body}
        async with self.session.request(
            method, self.url + path, headers=headers, ssl=self.trust, **sent, **more
        ) as answer:
            raw = await answer.read()
            is_json = answer.content_type == "application/json" and raw
            content = await answer.json() if is_json else None
            return Answer(answer.status, answer.headers, raw, content)

    async def upload(self, user: int, body: Any) -> Answer:
        return await self("POST", f"/API/system/users/{user}/uploadsmimecerts", body)


@pytest.fixture(scope="session")
def pairs() -> list[MadePair]:
    """Four RSA pairs, different names."""
    keys = [rsa.generate_private_key(65537, 2048) for _ in range(4)]
    return [make_pair(f"generation {number}", key) for number, key in enumerate(keys)]


@pytest.fixture(scope="session")
def curve_pair() -> MadePair:
    return make_pair("curve", ec.generate_private_key(ec.SECP256R1()))


Options = Callable[..., UemOptions]


@pytest.fixture
def options(tmp_path: Path) -> Options:
    """Options with the secret files in place; keyword arguments change them."""
    (tmp_path / "password").write_text(f"{API_PASSWORD}\n")
    (tmp_path / "tenant-code").write_text(TENANT_CODE)

    def make(**changes: Any) -> UemOptions:
        fixed = {
            "directory": tmp_path / "tls",
            "password_file": tmp_path / "password",
            "tenant_code_file": tmp_path / "tenant-code",
        }
        return UemOptions(**{**fixed, **changes})

    return make


@pytest.fixture
async def uem(options: Options) -> AsyncIterator[UemSimulator]:
    """A simulator whose devices report one minute after a push; the clock is turned by tests."""
    async with UemSimulator(options(install_delay=60)) as simulator:
        yield simulator


@pytest.fixture
async def control(uem: UemSimulator) -> AsyncIterator[UemControl]:
    async with UemControl(uem.control_url) as client:
        yield client


@contextlib.asynccontextmanager
async def logged_in(simulator: UemSimulator) -> AsyncIterator[Api]:
    """A client of this simulator."""
    async with aiohttp.ClientSession() as session:
        trust = ssl.create_default_context(cafile=simulator.ca_file)
        yield Api(session, simulator.api_url, trust)


@pytest.fixture
async def api(uem: UemSimulator) -> AsyncIterator[Api]:
    async with logged_in(uem) as client:
        yield client
