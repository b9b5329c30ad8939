"""Uploads: what is accepted, what is refused, and that each replaces the whole set."""

import base64
import io
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from connector_testkit.simulators.uem import UemControl
from tests.testkit.simulators.uem.conftest import Api
from tests.testkit.simulators.uem.keyring import (
    PASSWORD,
    MadePair,
    joined,
    mismatched,
    part,
    upload_body,
)


def slots(copy: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["slot"], each["fingerprint"]) for each in copy["slots"]]


async def test_an_upload_is_kept_slot_by_slot(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """The answer is an empty 200; the copy has signing, encryption and archive in their slots."""
    user = await control.add_user("ada")
    answer = await api.upload(user, upload_body(pairs[0], pairs[1], (pairs[2], pairs[3])))
    assert (answer.status, answer.body) == (200, b"")
    assert slots(await control.copy(user)) == [
        ("signing", pairs[0].fingerprint),
        ("encryption", pairs[1].fingerprint),
        ("archived", pairs[2].fingerprint),
        ("archived", pairs[3].fingerprint),
    ]


async def test_an_upload_replaces_the_whole_set(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """What the second upload leaves out is gone, the archive included."""
    user = await control.add_user("ada")
    await api.upload(user, upload_body(pairs[0], pairs[1], (pairs[2],)))
    await api.upload(user, upload_body(encryption=pairs[3]))
    assert slots(await control.copy(user)) == [("encryption", pairs[3].fingerprint)]
    uploads = await control.ledger("upload")
    assert [len(entry["slots"]) for entry in uploads] == [3, 1]


def not_base64(_: MadePair) -> Any:
    return {"Encryption": {"CertificatePayload": "***", "Password": PASSWORD}}


def wrong_password(pair: MadePair) -> Any:
    return {"Encryption": part(pair.pkcs12(), "another")}


def damaged(pair: MadePair) -> Any:
    return {"Encryption": part(pair.pkcs12()[:-20])}


def no_password(pair: MadePair) -> Any:
    return {"Encryption": {"CertificatePayload": base64.b64encode(pair.pkcs12()).decode()}}


def nothing(_: MadePair) -> Any:
    return {}


def no_object(_: MadePair) -> Any:
    return b"[1, 2"


@pytest.mark.parametrize(
    "body", [not_base64, wrong_password, damaged, no_password, nothing, no_object]
)
async def test_a_refused_upload_changes_nothing(
    api: Api, control: UemControl, pairs: list[MadePair], body: Callable[[MadePair], Any]
) -> None:
    """400 with an error object; the set from before stays; the ledger notes the refusal."""
    user = await control.add_user("ada")
    await api.upload(user, upload_body(encryption=pairs[0]))
    answer = await api.upload(user, body(pairs[1]))
    assert (answer.status, answer.content["errorCode"]) == (400, 1000)
    assert slots(await control.copy(user)) == [("encryption", pairs[0].fingerprint)]
    assert len(await control.ledger("refused_upload")) == 1


async def test_a_key_of_another_certificate_is_refused(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """Certificate and key must belong together."""
    user = await control.add_user("ada")
    answer = await api.upload(user, {"Encryption": part(mismatched(pairs[0], pairs[1]))})
    assert answer.status == 400
    assert await control.ledger("upload") == []


async def test_unknown_user_and_oversized_body_are_refused(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """404 (a switch) and 413, both as error objects."""
    unknown = await api.upload(999, upload_body(pairs[0]))
    assert (unknown.status, unknown.content["errorCode"]) == (404, 1000)
    user = await control.add_user("ada")
    large = await api.upload(user, io.BytesIO(b" " * (4 * 1024 * 1024 + 1)))
    assert (large.status, large.content["errorCode"]) == (413, 1000)


async def test_member_names_are_read_whatever_their_case(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """The product's framework binds them so."""
    user = await control.add_user("ada")
    inner = {name.lower(): value for name, value in part(pairs[0].pkcs12()).items()}
    assert (await api.upload(user, {"SIGNING": inner})).status == 200


async def test_xml_is_accepted(api: Api, control: UemControl, pairs: list[MadePair]) -> None:
    """The same members as elements; a hostile document type is refused."""
    user = await control.add_user("ada")
    inner = "".join(f"<{key}>{value}</{key}>" for key, value in part(pairs[0].pkcs12()).items())
    api.headers["Content-Type"] = "application/xml"
    hostile = '<!DOCTYPE a [<!ENTITY b "c">]><SMIMECertificate>&b;</SMIMECertificate>'
    assert (await api.upload(user, hostile.encode())).status == 400
    body = f"<SMIMECertificate><Signing>{inner}</Signing></SMIMECertificate>"
    assert (await api.upload(user, body.encode())).status == 200
    assert slots(await control.copy(user)) == [("signing", pairs[0].fingerprint)]


async def test_the_archived_member_has_the_name_it_is_told(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """A member of another name is ignored, as an unknown member is."""
    user = await control.add_user("ada")
    await control.switch(archived_member="EncryptionArchive")
    body = upload_body(encryption=pairs[0], archived=(pairs[1],))
    await api.upload(user, body)
    assert len((await control.copy(user))["slots"]) == 1
    await api.upload(user, {**body, "EncryptionArchive": body["ArchivedCertificates"]})
    assert len((await control.copy(user))["slots"]) == 2


@pytest.mark.parametrize(("mode", "kept"), [("bundle", 3), ("list-field", 1), ("off", 1)])
async def test_further_keys_of_a_bundle_count_in_bundle_mode_only(
    api: Api, control: UemControl, pairs: list[MadePair], mode: str, kept: int
) -> None:
    """One PKCS#12 with three keys: the first is current, the others are archived or ignored."""
    user = await control.add_user("ada")
    await control.switch(archived_mode=mode)
    answer = await api.upload(user, {"Encryption": part(joined((pairs[0], pairs[1], pairs[2])))})
    assert answer.status == 200
    found = slots(await control.copy(user))
    assert len(found) == kept
    assert found[0][0] == "encryption"
    assert {slot for slot, _ in found[1:]} <= {"archived"}
    assert len({fingerprint for _, fingerprint in found}) == kept


@pytest.mark.parametrize("legacy", [True, False])
async def test_both_kinds_of_protection_and_curve_keys_are_opened(
    api: Api, control: UemControl, pairs: list[MadePair], curve_pair: MadePair, *, legacy: bool
) -> None:
    """3DES and AES files, RSA and EC keys."""
    user = await control.add_user("ada")
    body = {
        "Signing": part(curve_pair.pkcs12(legacy=legacy)),
        "Encryption": part(pairs[0].pkcs12(legacy=legacy)),
    }
    assert (await api.upload(user, body)).status == 200
    assert len((await control.copy(user))["slots"]) == 2


async def test_unopened_uploads_are_counted_by_size(api: Api, control: UemControl) -> None:
    """With checks off nothing is decoded, profiles still go out, no marker is kept."""
    user = await control.add_user("ada")
    device = await control.enrol(user)
    await control.switch(check_uploads="none")
    assert (await api.upload(user, {"Encryption": part(b"no PKCS#12")})).status == 200
    await control.advance_clock(60)
    shown = await control.device(device)
    assert (shown["profiles"][0]["status"], shown["held"]["slots"]) == (3, [])
    assert shown["held"]["sizes"] == [16]
    assert await control.markers() == []


async def test_success_may_have_another_status_and_keep_nothing(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """With retention switched off in the group the upload succeeds all the same."""
    user = await control.add_user("ada")
    await control.switch(upload_status=204, keeps_uploads=False)
    assert (await api.upload(user, upload_body(pairs[0]))).status == 204
    assert (await control.copy(user))["present"] is False


async def test_the_ledger_names_what_came_but_no_secret(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """Fingerprints are in the ledger; passwords, payloads and primes are in the markers only."""
    user = await control.add_user("ada")
    await api.upload(user, upload_body(pairs[0], pairs[1]))
    ledger = orjson.dumps(await control.ledger()).decode()
    markers = await control.markers()
    assert pairs[0].fingerprint in ledger
    assert {marker["kind"] for marker in markers} == {"password", "payload", "key"}
    assert [marker for marker in markers if marker["value"] in ledger] == []
    prime = pairs[0].key.private_numbers().p  # type: ignore[union-attr]
    assert f"{prime:x}" in {marker["value"] for marker in markers}
