"""A simulated CA, its control client and a bare HTTPS client with the right certificate."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, DummyCookieJar, TCPConnector

from connector_testkit.simulators.ca import CaOptions, CaSimulator, KeyAlgorithm
from connector_testkit.simulators.ca.commands import NewPerson
from connector_testkit.simulators.ca.control import CaControl

MARA = NewPerson(
    person="mara.lind",
    name="Mara Lind",
    addresses=("mara.lind@example.com", "m.lind@example.com"),
    attributes={"employee_number": "10442"},
)


@pytest.fixture
async def ca(tmp_path: Path) -> AsyncIterator[CaSimulator]:
    options = CaOptions(directory=tmp_path, key_algorithm=KeyAlgorithm.EC_P256, seed=7)
    async with CaSimulator(options) as simulator:
        yield simulator


@pytest.fixture
async def control(ca: CaSimulator) -> AsyncIterator[CaControl]:
    async with CaControl(ca.control_url) as client:
        await client.put_person(MARA)
        yield client


@pytest.fixture
async def api(ca: CaSimulator) -> AsyncIterator[ClientSession]:
    context = ssl.create_default_context(cafile=ca.tls.ca)
    assert ca.tls.client_certificate is not None
    context.load_cert_chain(ca.tls.client_certificate, ca.tls.client_key)
    connector = TCPConnector(ssl=context)
    async with ClientSession(
        ca.api_url, connector=connector, cookie_jar=DummyCookieJar()
    ) as session:
        yield session
