"""Uploads to the simulated UEM: what is sent, and what each answer means."""

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from connector.core.errors import Family, Scope
from connector.core.model import Slot
from connector_testkit.conformance.target_acts import whole_set
from connector_testkit.conformance.target_child import Deliverer, Outcome
from connector_testkit.conformance.target_samples import pairs, sample
from connector_testkit.conformance.target_world import failure
from tests.integrations.workspace_one.conftest import PROFILE, UemWorld
from tests.patience import PATIENCE

UPLOAD = "uploadsmimecerts"


async def deliver(
    uem: UemWorld, deliverer: Deliverer, holder: str, samples: Any = None, **changes: Any
) -> Outcome:
    reference = uem.reference(**changes)
    return await deliverer.deliver(uem.target(), reference, holder, samples or whole_set())


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_every_status_of_success_is_success(
    uem: UemWorld, deliverer: Deliverer, status: int
) -> None:
    """The call answers nothing, and which 2xx it uses is not public."""
    holder = await uem.add_holder()
    await uem.control.switch(upload_status=status)
    assert (await deliver(uem, deliverer, holder)).delivered


async def test_success_is_success_whatever_is_in_the_body(
    uem: UemWorld, deliverer: Deliverer
) -> None:
    """The set was taken, so an odd answer must not make it look refused."""
    holder = await uem.add_holder()
    await uem.control.fault("raw", path=UPLOAD, body="<html>", repeat=1_000_000)
    assert (await deliver(uem, deliverer, holder)).delivered


@pytest.mark.parametrize(
    ("fault", "code", "family"),
    [
        ({"kind": "error", "status": 400}, "UEM-400", Family.PERMANENT),
        ({"kind": "error", "status": 413}, "UEM-400", Family.PERMANENT),
        ({"kind": "html", "status": 400}, "UEM-011", Family.TRANSIENT),
        ({"kind": "html", "status": 413}, "UEM-011", Family.TRANSIENT),
        ({"kind": "empty", "status": 413}, "UEM-400", Family.PERMANENT),
        ({"kind": "error", "status": 404}, "UEM-404", Family.PERMANENT),
        ({"kind": "html", "status": 404}, "UEM-011", Family.TRANSIENT),
        ({"kind": "error", "status": 408}, "UEM-002", Family.TRANSIENT),
        ({"kind": "error", "status": 502, "retry_after": "9"}, "UEM-002", Family.TRANSIENT),
        ({"kind": "error", "status": 504}, "UEM-002", Family.TRANSIENT),
        ({"kind": "error", "status": 503, "retry_after": "9"}, "UEM-010", Family.TRANSIENT),
        ({"kind": "error", "status": 500}, "UEM-010", Family.TRANSIENT),
        ({"kind": "html", "status": 503}, "UEM-010", Family.TRANSIENT),
        ({"kind": "reset"}, "UEM-002", Family.TRANSIENT),
    ],
    ids=repr,
)
async def test_an_answer_without_success_means_refused_or_unknown(
    uem: UemWorld, deliverer: Deliverer, fault: dict[str, Any], code: str, family: Family
) -> None:
    """A clear 4xx is a refusal; what may come from a proxy in between leaves it open."""
    holder = await uem.add_holder()
    await uem.control.fault(path=UPLOAD, **fault)
    outcome = await deliver(uem, deliverer, holder)
    assert outcome.fault is not None
    assert (outcome.fault.code, outcome.fault.family) == (code, family)
    assert outcome.fault.scope is Scope.SUBJECT
    assert outcome.fault.retry_after == (9 if "retry_after" in fault else None)


async def test_a_refusal_quotes_the_uems_numbers_and_not_its_text(
    uem: UemWorld, deliverer: Deliverer
) -> None:
    """Its support asks for them; its text may hold anything."""
    activity = "8f0d3c5e-0000-4000-8000-000000000000"
    body = f'{{"ErrorCode": "1000", "Message": "no mmuster", "ActivityId": "{activity}"}}'
    await uem.control.fault("raw", path=UPLOAD, status=400, body=body)
    outcome = await deliver(uem, deliverer, await uem.add_holder())
    assert outcome.fault is not None
    assert f"error 1000, activity {activity}" in outcome.fault.detail
    assert "mmuster" not in outcome.shown


async def test_archived_pairs_go_in_the_member_of_the_settings(
    uem: UemWorld, deliverer: Deliverer
) -> None:
    """Its name is read once on the tenant's own reference page."""
    holder, samples = await uem.add_holder(), whole_set()
    await uem.control.switch(archived_member="EncryptionArchive")
    await deliver(uem, deliverer, holder, samples)
    await deliver(uem, deliverer, holder, samples, archived_member="EncryptionArchive")
    without = [each for each in samples if each.slot is not Slot.ARCHIVED]
    assert await uem.taken(holder) == [pairs(without), pairs(samples)]


async def test_archived_pairs_are_not_left_out_silently(
    uem: UemWorld, deliverer: Deliverer
) -> None:
    """With archived_mode off a set that holds some is refused before anything is sent."""
    holder = await uem.add_holder()
    outcome = await deliver(uem, deliverer, holder, archived_mode="off")
    assert outcome.fault is not None
    assert (outcome.fault.code, outcome.begun) == ("KEY-103", 0)
    assert await uem.requests() == []
    only = [sample(Slot.ENCRYPTION)]
    assert (await deliver(uem, deliverer, holder, only, archived_mode="off")).delivered


@pytest.mark.parametrize("holder", ["5d2a3c4e-0000-4000-8000-0000000000e1", "12/../13", ""])
async def test_only_a_number_names_who_gets_keys(
    uem: UemWorld, deliverer: Deliverer, holder: str
) -> None:
    """The call takes numeric ids; anything else is refused before anything is sent."""
    outcome = await deliver(uem, deliverer, holder)
    assert outcome.fault is not None
    assert (outcome.fault.code, outcome.begun) == ("UEM-404", 0)
    assert await uem.requests() == []


async def test_an_upload_is_sent_once_and_with_its_length(
    uem: UemWorld, deliverer: Deliverer
) -> None:
    """Nothing repeats it but the state that asked; the path may be the one with the version."""
    path = "system/users/{id}/uploadsmimecerts/"
    await deliver(uem, deliverer, await uem.add_holder(), api_path="API/v1", upload_path=path)
    seen = [(request["method"], request["path"]) for request in await uem.requests()]
    assert seen == [("POST", "/system/users/{id}/uploadsmimecerts")]


@pytest.mark.parametrize("by", ["serial_number", "device_id"])
async def test_a_profile_is_pushed_to_the_device(uem: UemWorld, by: str) -> None:
    """Named by serial number, or by number where the settings say so."""
    device = await uem.add_device(await uem.add_holder())
    async with uem.target(push_by=by) as target:
        await target.push(device, PROFILE)
    (entry,) = await uem.control.ledger("install")
    assert (str(entry["device"]), str(entry["profile"])) == (device, PROFILE)


async def test_a_device_without_serial_number_is_named_by_its_number(uem: UemWorld) -> None:
    """Some platforms report none."""
    device = await uem.add_device(await uem.add_holder())
    uem.uem.tenant.devices[int(device)].serial = ""
    async with uem.target() as target:
        await target.push(device, PROFILE)
    assert len(await uem.control.ledger("install")) == 1


async def test_a_push_to_whom_it_cannot_reach_is_a_clear_refusal(uem: UemWorld) -> None:
    """Unknown device, unknown profile, or one that is not assigned."""
    device = await uem.add_device(await uem.add_holder())
    async with uem.target() as target:
        for known, profile in (("99", PROFILE), (device, "99")):
            error = await failure(target.push(known, profile))
            assert (error.code, error.scope) == ("UEM-404", Scope.SUBJECT)


KEEPING_THE_BODY = """
import asyncio, sys
from connector.core.model import Slot
from connector.core.ports import Bundle
from connector.core.key_material import KeyMaterial, allow_key_material
from connector.integrations.workspace_one.settings import WorkspaceOneSettings
from connector.integrations.workspace_one.target import WorkspaceOne

allow_key_material()
kept = []
bundle = Bundle(Slot.ENCRYPTION, "0" * 64, KeyMaterial(b"p12" * 70_000), KeyMaterial(b"marker"))

def sending():
    body = sys._getframe(1).f_locals["self"]
    assert b'"Password":"marker"' in bytes(body._view)
    assert "marker" not in repr(body)
    kept.append(body._view)

async def main():
    settings = WorkspaceOneSettings.model_validate_json(sys.stdin.read())
    async with WorkspaceOne("main", settings) as target:
        try:
            await target.deliver("12", [bundle], sending)
        except Exception as error:
            print(error.code)

asyncio.run(main())
assert len(kept) == 1
assert not any(kept[0])
"""


async def test_the_body_is_overwritten_after_the_upload(uem: UemWorld) -> None:
    """Whole when it leaves, zeros when the verb is over, also when it was refused."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", KEEPING_THE_BODY],
        input=uem.settings().model_dump_json().encode(),
        stdout=subprocess.PIPE,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout == b"UEM-404\n"
