"""The simulated CA against ``schemas/escrow-http.openapi.yaml``: every answer fits its schema."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from aiohttp import ClientSession
from cryptography.hazmat.primitives.serialization import pkcs12
from jsonschema import Draft202012Validator
from yarl import URL

from connector.core.model import Usage
from connector_testkit.simulators.ca import CaSimulator
from connector_testkit.simulators.ca.api import EscrowApi
from connector_testkit.simulators.ca.commands import Decision, Issue, NewPerson
from connector_testkit.simulators.ca.control import CaControl

CONTRACT = yaml.safe_load(
    (Path(__file__).parents[4] / "schemas" / "escrow-http.openapi.yaml").read_text()
)
REQUEST = "0b54cf6e-6f4e-5a53-9d0a-0d8f1c3b2a11"
PASSWORD = "contract-test-password"


def check(schema: str, document: Any) -> None:
    """Validate a document against one of the contract's component schemas."""
    whole = {"$ref": f"#/components/schemas/{schema}", "components": CONTRACT["components"]}
    Draft202012Validator(whole).validate(document)


def asked(fingerprint: str, person: str = "mara.lind") -> dict[str, str]:
    return {"person": person, "fingerprint": fingerprint, "reason": "test", "requester": "tests"}


async def answer(api: ClientSession, method: str, path: str, **more: Any) -> tuple[int, Any]:
    """Status and JSON of one call; a problem is checked against its schema."""
    async with api.request(method, path, **more) as response:
        document: Any = {}
        if response.status != 204:
            document = await response.json(content_type=None)
        if response.status >= 400:
            assert response.content_type == "application/problem+json"
            check("Problem", document)
            assert document["status"] == response.status
        return response.status, document


@pytest.mark.parametrize("name", list(CONTRACT["components"]["schemas"]))
def test_every_schema_is_valid(name: str) -> None:
    """Each component is a schema of JSON Schema 2020-12, as OpenAPI 3.1 wants it."""
    Draft202012Validator.check_schema(CONTRACT["components"]["schemas"][name])


@pytest.mark.parametrize(
    ("example", "schema"),
    [
        ("Listing", "Listing"),
        ("OpenRequests", "OpenRequests"),
        ("NewRequest", "NewRequest"),
        ("Request", "Request"),
        ("PersonUnknown", "Problem"),
        ("Conflict", "Problem"),
        ("NotGranted", "Problem"),
    ],
)
def test_the_examples_fit_their_schemas(example: str, schema: str) -> None:
    """What the contract shows is what it prescribes."""
    check(schema, CONTRACT["components"]["examples"][example]["value"])


def test_routes_and_contract_are_the_same_set(ca: CaSimulator) -> None:
    """Each operation of the contract has a route and the other way round."""
    promised = {
        (method.upper(), path)
        for path, item in CONTRACT["paths"].items()
        for method in item
        if method != "parameters"
    }
    application = EscrowApi(ca._parts).application()
    served = {
        (route.method, route.resource.canonical)
        for route in application.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert served - {("*", "/elsewhere")} == promised


async def test_the_whole_life_of_a_request(api: ClientSession, control: CaControl) -> None:
    """List, ask, look, fetch and clean up answer as the contract says."""
    fingerprint = (await control.issue(Issue(person="mara.lind"))).fingerprint
    status, listing = await answer(api, "GET", "/v1/persons/mara.lind/generations")
    assert status == 200
    check("Listing", listing)
    assert [g["fingerprint"] for g in listing["generations"]] == [fingerprint]
    for expected in (201, 200):
        status, begun = await answer(api, "PUT", f"/v1/requests/{REQUEST}", json=asked(fingerprint))
        assert (status, begun["state"]) == (expected, "granted")
        check("Request", begun)
    status, found = await answer(api, "GET", "/v1/persons/mara.lind/requests")
    check("OpenRequests", found)
    assert [entry["request_id"] for entry in found["requests"]] == [REQUEST]
    body = {"password": PASSWORD}
    async with api.post(f"/v1/requests/{REQUEST}/fetch", json=body) as response:
        assert response.status == 200
        assert response.content_type == "application/pkcs12"
        assert response.headers["Cache-Control"] == "no-store"
        bundle = pkcs12.load_pkcs12(await response.read(), PASSWORD.encode())
    assert bundle.cert is not None
    assert bundle.key is not None
    assert bundle.cert.certificate.public_key() == bundle.key.public_key()
    for _ in range(2):
        assert (await answer(api, "DELETE", f"/v1/requests/{REQUEST}"))[0] == 204
    status, problem = await answer(api, "GET", f"/v1/requests/{REQUEST}")
    assert (status, problem["code"]) == (404, "request_unknown")


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/v1/persons/nobody/generations", "person_unknown"),
        ("GET", "/v1/persons/MARA.LIND/generations", "person_unknown"),
        ("GET", "/v1/persons/nobody/requests", "person_unknown"),
        ("GET", f"/v1/requests/{REQUEST}", "request_unknown"),
        ("PUT", f"/v1/requests/{REQUEST}", "invalid_request"),
        ("POST", f"/v1/requests/{REQUEST}/fetch", "invalid_request"),
    ],
)
async def test_refusals_are_problems(
    api: ClientSession, control: CaControl, method: str, path: str, code: str
) -> None:
    """What is not there, or not understood, is refused with its code."""
    await control.issue(Issue(person="mara.lind"))
    assert (await answer(api, method, path))[1]["code"] == code


async def test_a_decision_is_waited_for(api: ClientSession, control: CaControl) -> None:
    """With approvals a request is pending until it is decided; only a grant lets it fetch."""
    fingerprint = (await control.issue(Issue(person="mara.lind"))).fingerprint
    await control.put_person(
        NewPerson(person="mara.lind", addresses=("mara.lind@example.com",), approval=True)
    )
    path, body = f"/v1/requests/{REQUEST}", {"password": PASSWORD}
    begun = await answer(api, "PUT", path, json=asked(fingerprint))
    assert begun[1]["state"] == "pending"
    for decision, state in [(Decision.DENY, "denied"), (Decision.EXPIRE, "expired")]:
        await control.decide(REQUEST, decision)
        assert (await answer(api, "GET", path))[1]["state"] == state
        status, problem = await answer(api, "POST", f"{path}/fetch", json=body)
        assert (status, problem["code"]) == (409, "request_not_granted")
    await control.decide(REQUEST, Decision.GRANT)
    async with api.post(f"{path}/fetch", json=body) as response:
        assert response.status == 200


async def test_a_single_use_key_is_handed_out_once(api: ClientSession, control: CaControl) -> None:
    """The second fetch of a single-use generation is refused, and the state says why."""
    order = Issue(person="mara.lind", single_use=True)
    fingerprint = (await control.issue(order)).fingerprint
    path, body = f"/v1/requests/{REQUEST}", {"password": PASSWORD}
    await answer(api, "PUT", path, json=asked(fingerprint))
    async with api.post(f"{path}/fetch", json=body) as response:
        assert response.status == 200
    status, problem = await answer(api, "POST", f"{path}/fetch", json=body)
    assert (status, problem["code"]) == (409, "request_already_fetched")
    assert (await answer(api, "GET", path))[1]["state"] == "fetched"


async def test_one_id_is_one_request(api: ClientSession, control: CaControl) -> None:
    """The same id for another generation is a conflict; the first request stays as it was."""
    first = (await control.issue(Issue(person="mara.lind"))).fingerprint
    second = (await control.issue(Issue(person="mara.lind"))).fingerprint
    path = f"/v1/requests/{REQUEST}"
    await answer(api, "PUT", path, json=asked(first))
    status, problem = await answer(api, "PUT", path, json=asked(second))
    assert (status, problem["code"]) == (409, "request_conflict")
    assert (await answer(api, "GET", path))[1]["fingerprint"] == first


async def test_a_revoked_signing_key_stays_in_escrow(
    api: ClientSession, control: CaControl
) -> None:
    """A revoked certificate is listed as such; one that only signs is not recovered."""
    signing = await control.issue(Issue(person="mara.lind", usage=Usage.SIGNING))
    await control.revoke(signing.fingerprint)
    _, listing = await answer(api, "GET", "/v1/persons/mara.lind/generations")
    check("Listing", listing)
    assert listing["generations"][0]["status"] == "revoked"
    status, problem = await answer(
        api, "PUT", f"/v1/requests/{REQUEST}", json=asked(signing.fingerprint)
    )
    assert (status, problem["code"]) == (409, "generation_revoked")


@pytest.mark.parametrize("name", ["a/b", "ü ber", "100%", "a%2Fb", "x?y#z", "a;b"])
async def test_odd_names_are_matched_exactly(
    api: ClientSession, control: CaControl, name: str
) -> None:
    """A percent-encoded path part stands for exactly one name."""
    await control.put_person(NewPerson(person=name))
    path = URL(f"/v1/persons/{quote(name, safe='')}/generations", encoded=True)
    async with api.get(path) as response:
        assert response.status == 200
        assert (await response.json())["person"]["person"] == name
