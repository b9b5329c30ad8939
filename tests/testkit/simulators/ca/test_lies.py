"""Bundles that lie are what they say they are: each is opened and looked at."""

import asyncio
from datetime import UTC, datetime
from random import Random

import pytest
from aiohttp import ClientSession
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from connector.core.model import Usage
from connector_testkit.simulators.ca.authority import Authority, Leaf
from connector_testkit.simulators.ca.bundles import Bundles
from connector_testkit.simulators.ca.commands import (
    CertificateInfo,
    Issue,
    Lie,
    LieOrder,
    NewPerson,
    Operation,
)
from connector_testkit.simulators.ca.control import CaControl
from connector_testkit.simulators.ca.hostile import huge_exponent, huge_modulus
from connector_testkit.simulators.ca.keys import MAKERS
from connector_testkit.simulators.ca.options import KeyAlgorithm
from connector_testkit.simulators.ca.registry import Escrowed

REQUEST = "0b54cf6e-6f4e-5a53-9d0a-0d8f1c3b2a11"
PASSWORD = "lies-test-password"


@pytest.fixture
async def asked(api: ClientSession, control: CaControl) -> CertificateInfo:
    """The older of two generations, granted; another person has one as well."""
    await control.put_person(NewPerson(person="other.one"))
    await control.issue(Issue(person="other.one", addresses=("other.one@example.com",)))
    wanted = await control.issue(Issue(person="mara.lind"))
    await control.issue(Issue(person="mara.lind"))
    body = {
        "person": "mara.lind",
        "fingerprint": wanted.fingerprint,
        "reason": "test",
        "requester": "tests",
    }
    async with api.put(f"/v1/requests/{REQUEST}", json=body) as response:
        assert response.status == 201
    return wanted


async def fetched(api: ClientSession, control: CaControl, lie: Lie | None) -> bytes:
    if lie is not None:
        await control.lie(LieOrder(lie=lie))
    body = {"password": PASSWORD}
    async with api.post(f"/v1/requests/{REQUEST}/fetch", json=body) as response:
        assert response.content_type == "application/pkcs12"
        return await response.read()


async def contents(api: ClientSession, control: CaControl, lie: Lie | None) -> tuple[str, bool]:
    """The leaf (PEM) in a bundle, and whether the key fits it."""
    bundle = pkcs12.load_pkcs12(await fetched(api, control, lie), PASSWORD.encode())
    assert bundle.key is not None
    leaf = (bundle.cert or bundle.additional_certs[0]).certificate
    return leaf.public_bytes(Encoding.PEM).decode(), leaf.public_key() == bundle.key.public_key()


async def test_an_honest_bundle_holds_what_was_asked_for(
    api: ClientSession, control: CaControl, asked: CertificateInfo
) -> None:
    """Without a lie, certificate and key are the ones of the request."""
    assert await contents(api, control, None) == (asked.certificate, True)


async def test_a_misfit_key_is_under_the_right_certificate(
    api: ClientSession, control: CaControl, asked: CertificateInfo
) -> None:
    """The certificate is the one asked for, the key belongs to none."""
    assert await contents(api, control, Lie.MISFIT_KEY) == (asked.certificate, False)


@pytest.mark.parametrize(
    ("lie", "owner"), [(Lie.OTHER_PERSONS_KEY, "other.one"), (Lie.OTHER_GENERATION, "mara.lind")]
)
async def test_another_bundle_is_whole_but_wrong(
    api: ClientSession, control: CaControl, asked: CertificateInfo, lie: Lie, owner: str
) -> None:
    """Certificate and key fit each other, and are another person's or another generation's."""
    certificate, fits = await contents(api, control, lie)
    assert fits
    assert certificate != asked.certificate
    assert certificate in [info.certificate for info in await control.certificates(owner)]


@pytest.mark.usefixtures("asked")
async def test_a_truncated_bundle_does_not_open(api: ClientSession, control: CaControl) -> None:
    """Half of the bytes are there, and the length header agrees with them."""
    half = await fetched(api, control, Lie.TRUNCATED)
    with pytest.raises(ValueError, match="PKCS12"):
        pkcs12.load_pkcs12(half, PASSWORD.encode())


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("lie", [Lie.HOSTILE_MODULUS, Lie.HOSTILE_EXPONENT])
async def test_a_hostile_bundle_is_served(api: ClientSession, control: CaControl, lie: Lie) -> None:
    """It arrives as a PKCS#12 under the password; it is not loaded here."""
    assert (await fetched(api, control, lie))[0] == 0x30


def test_hostile_keys_are_as_hostile_as_said() -> None:
    """A modulus of 16,384 bits; a public exponent of 2,000 bits."""
    dice = Random(1)
    modulus = huge_modulus(dice).public_key()
    exponent = huge_exponent(dice).private_numbers()
    assert modulus.key_size == 16384
    assert exponent.public_numbers.e.bit_length() == 2000
    assert exponent.public_numbers.n.bit_length() == 2048
    assert isinstance(modulus, rsa.RSAPublicKey)


async def test_a_lie_can_be_told_a_number_of_times(api: ClientSession, control: CaControl) -> None:
    """After that the CA is honest again; a lie for one person does not meet another."""
    await control.put_person(NewPerson(person="other.one"))
    order = LieOrder(lie=Lie.STATUS, operation=Operation.LIST, person="mara.lind", times=2)
    await control.lie(order)
    seen = []
    for person in ("mara.lind", "other.one", "mara.lind", "mara.lind"):
        async with api.get(f"/v1/persons/{person}/generations") as response:
            seen.append(response.status)
    assert seen == [503, 200, 503, 200]


async def test_a_stall_ends_on_release(api: ClientSession, control: CaControl) -> None:
    """A stalled request hangs until it is released, and is in the ledger meanwhile."""
    await control.lie(LieOrder(lie=Lie.STALL, operation=Operation.LIST, times=1))
    async with asyncio.TaskGroup() as tasks:
        stalled = tasks.create_task(api.get("/v1/persons/mara.lind/generations"))
        await control.wait_for(Operation.LIST, 1)
        assert [entry.status for entry in await control.ledger()] == [None]
        await control.release()
        assert (await stalled).status == 503


def test_a_fixed_password_is_encoded_once() -> None:
    """Under the fixed password the same bytes come again; under any other they are made again."""
    authority = Authority(Random(1))
    key = MAKERS[KeyAlgorithm.EC_P256]()
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    leaf = Leaf("Mara", ("m@example.com",), Usage.BOTH, moment, moment.replace(year=2027))
    generation = Escrowed(Issue(person="m"), key, leaf, authority.issue(leaf, key))
    bundles = Bundles(authority, Random(2), kdf_rounds=1, fixed_password=b"fixed")
    assert bundles.encode(generation, b"fixed") is bundles.encode(generation, b"fixed")
    assert bundles.encode(generation, b"other") != bundles.encode(generation, b"other")
