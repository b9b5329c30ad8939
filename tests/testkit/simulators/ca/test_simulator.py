"""The simulated CA as a process and behind its control API."""

import asyncio
import json
import ssl
import sys
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientResponseError, ClientSession
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pydantic import ValidationError

from connector.certificates.reading import read
from connector.core.addresses import canonical_address
from connector.core.model import Usage
from connector_testkit.simulators.ca import CaOptions, CaSimulator, KeyAlgorithm
from connector_testkit.simulators.ca.commands import Issue, NewPerson, Operation
from connector_testkit.simulators.ca.control import CaControl

REQUEST = "0b54cf6e-6f4e-5a53-9d0a-0d8f1c3b2a11"
PASSWORD = "simulator-test-password"
PROGRAM = """
import asyncio, pathlib, sys
from connector_testkit.simulators.ca import CaOptions, run
asyncio.run(run(CaOptions(directory=pathlib.Path(sys.argv[1]), key_algorithm="ec-p256")))
"""


async def test_it_says_where_it_listens_and_stops_when_told(tmp_path: Path) -> None:
    """One JSON line on standard output; SIGTERM ends it with exit code 0."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    ready = json.loads(await process.stdout.readline())
    assert (set(ready), ready["ready"]) == ({"ready", "api", "control", "ca"}, "ca")
    assert ready["ca"] == str(tmp_path / "ca.pem")
    async with CaControl(ready["control"]) as control:
        await control.put_person(NewPerson(person="mara.lind"))
        assert await control.certificates() == []
    process.terminate()
    assert await process.wait() == 0


async def test_nobody_gets_in_without_our_certificate(ca: CaSimulator) -> None:
    """A client that trusts the server but has no certificate is cut off."""
    context = ssl.create_default_context(cafile=ca.tls.ca)
    async with ClientSession(ca.api_url) as session:
        with pytest.raises(ClientError):
            await session.get("/v1/persons/mara.lind/generations", ssl=context)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])  # noqa: S104 - must be refused
def test_the_control_api_stays_on_loopback(tmp_path: Path, host: str) -> None:
    """It gives secrets away, so any other address is refused."""
    with pytest.raises(ValidationError, match="loopback only"):
        CaOptions(directory=tmp_path, control_host=host)


@pytest.mark.parametrize(
    ("usage", "algorithm", "signs", "enciphers", "agrees"),
    [
        (Usage.SIGNING, KeyAlgorithm.RSA_2048, True, False, False),
        (Usage.ENCRYPTION, KeyAlgorithm.RSA_1024, False, True, False),
        (Usage.BOTH, KeyAlgorithm.EC_P256, True, False, True),
    ],
)
async def test_certificates_follow_their_profile(
    control: CaControl,
    tmp_path: Path,
    usage: Usage,
    algorithm: KeyAlgorithm,
    signs: bool,  # noqa: FBT001 - a column of the table
    enciphers: bool,  # noqa: FBT001 - as above
    agrees: bool,  # noqa: FBT001 - as above
) -> None:
    """Key usage, purpose, address and chain are those of RFC 8551 and RFC 5280."""
    info = await control.issue(Issue(person="mara.lind", usage=usage, key_algorithm=algorithm))
    leaf = x509.load_pem_x509_certificate(info.certificate.encode())
    extensions = leaf.extensions
    allowed = extensions.get_extension_for_class(x509.KeyUsage)
    assert allowed.critical
    value = allowed.value
    assert (value.digital_signature, value.key_encipherment, value.key_agreement) == (
        signs,
        enciphers,
        agrees,
    )
    purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.EMAIL_PROTECTION]
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.RFC822Name) == ["mara.lind@example.com"]
    kind = ec.EllipticCurvePublicKey if algorithm.startswith("ec") else rsa.RSAPublicKey
    assert isinstance(leaf.public_key(), kind)
    issuing, root = x509.load_pem_x509_certificates((tmp_path / "issuers.pem").read_bytes())
    leaf.verify_directly_issued_by(issuing)
    issuing.verify_directly_issued_by(root)


async def test_an_old_generation_has_expired(control: CaControl) -> None:
    """Age and validity are given in days; the renewal of it is valid from now."""
    old = await control.issue(Issue(person="mara.lind", issued_days_ago=800, valid_days=730))
    new = await control.renew("mara.lind")
    assert old.not_after < new.not_before < new.not_after
    assert (new.not_after - new.not_before).days == 730


async def test_markers_find_every_key_and_password(api: ClientSession, control: CaControl) -> None:
    """A key's PEM and DER forms and the password of a fetch contain their markers."""
    issued = await control.issue(Issue(person="mara.lind", key_algorithm=KeyAlgorithm.RSA_1024))
    body = {
        "person": "mara.lind",
        "fingerprint": issued.fingerprint,
        "reason": "test",
        "requester": "tests",
    }
    await api.put(f"/v1/requests/{REQUEST}", json=body)
    fetch = {"password": PASSWORD}
    async with api.post(f"/v1/requests/{REQUEST}/fetch", json=fetch) as response:
        key = pkcs12.load_pkcs12(await response.read(), PASSWORD.encode()).key
    assert isinstance(key, rsa.RSAPrivateKey)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    markers = await control.markers()
    assert PASSWORD in markers.text
    lines = [line for line in markers.text if line != PASSWORD]
    assert len(lines) == 2
    assert all(line in pem.decode() for line in lines)
    big = [piece for piece in markers.binary if bytes.fromhex(piece) in der]
    assert len(big) == 4  # p, q, d and the middle of the DER form; the rest is little-endian
    assert len(markers.binary) == 7


async def test_the_ledger_tells_who_asked_for_what(api: ClientSession, control: CaControl) -> None:
    """Operation, client, person, fingerprint and answer; never a password."""
    issued = await control.issue(Issue(person="mara.lind"))
    body = {
        "person": "mara.lind",
        "fingerprint": issued.fingerprint,
        "reason": "test",
        "requester": "tests",
    }
    await api.put(f"/v1/requests/{REQUEST}", json=body)
    await api.post(f"/v1/requests/{REQUEST}/fetch", json={"password": PASSWORD})
    entries = await control.ledger()
    assert [(e.operation, e.client, e.person, e.fingerprint, e.status) for e in entries] == [
        (Operation.BEGIN, "pki-connector", "mara.lind", issued.fingerprint, 201),
        (Operation.FETCH, "pki-connector", "mara.lind", issued.fingerprint, 200),
    ]
    assert PASSWORD not in "".join(entry.model_dump_json() for entry in entries)
    assert await control.ledger(since=1) == entries[1:]


async def test_orders_that_cannot_be_carried_out_are_refused(control: CaControl) -> None:
    """Unknown persons, generations and requests are errors of the control API, too."""
    for order in (
        control.issue(Issue(person="nobody")),
        control.renew("mara.lind"),
        control.revoke("00" * 32),
    ):
        with pytest.raises(ClientResponseError) as caught:
            await order
        assert caught.value.status == 404


async def test_keys_are_dealt_out_again_when_told_so(tmp_path: Path) -> None:
    """With `reuse_keys` three certificates share at most two keys."""
    options = CaOptions(directory=tmp_path, key_algorithm=KeyAlgorithm.EC_P256, reuse_keys=2)
    async with CaSimulator(options) as ca, CaControl(ca.control_url) as control:
        await control.put_person(NewPerson(person="m", addresses=("m@example.com",)))
        issued = [await control.issue(Issue(person="m")) for _ in range(3)]
    leaves = [x509.load_pem_x509_certificate(info.certificate.encode()) for info in issued]
    encoding, form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    assert len({leaf.public_key().public_bytes(encoding, form) for leaf in leaves}) <= 2


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("\N{LATIN SMALL LETTER U WITH DIAERESIS}" * 64, "mara@example.com"),
        ("\N{GRINNING FACE}" * 256, "mara@möbel.example"),
        ("x" * 300, "jörg@möbel.example"),
    ],
)
async def test_any_name_and_address_can_be_issued(
    control: CaControl, name: str, address: str
) -> None:
    """A long name is cut to 64 octets at a character's end; an address gets the form it needs."""
    await control.put_person(NewPerson(person="other", name=name, addresses=(address,)))
    info = await control.issue(Issue(person="other"))
    leaf = x509.load_pem_x509_certificate(info.certificate.encode())
    (common,) = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.startswith(str(common.value))
    assert 60 < len(str(common.value).encode()) <= 64
    assert read(leaf.public_bytes(Encoding.DER)).addresses == (canonical_address(address),)


async def test_a_summary_says_what_it_holds(tmp_path: Path) -> None:
    """The first look of a person with curl, in numbers."""
    options = CaOptions(directory=tmp_path, key_algorithm=KeyAlgorithm.EC_P256)
    async with CaSimulator(options) as ca, CaControl(ca.control_url) as control:
        await control.put_person(NewPerson(person="mara.lind"))
        await control.issue(Issue(person="mara.lind"))
        async with ClientSession() as session, session.get(f"{ca.control_url}/_sim/") as answer:
            held = await answer.json()
    expected = {"persons": 1, "certificates": 1, "requests": 0, "notifications": 0}
    assert held == {"simulator": "ca", **expected}
