"""Dry runs, between a simulated CA and a simulated UEM."""

import pytest

from connector.core.model import IdentityPair, Usage
from connector.core.policy import Gates, Mode, OtherDevices
from connector.core.selection import SigningPolicy
from connector.core.states import (
    Copy,
    CopyState,
    DeliveredGeneration,
    Dropped,
    Identity,
)
from connector.operators.handlers import Caller
from connector.operators.verbs.plan import PlanQuery
from connector_testkit.simulators.ca import KeyAlgorithm
from connector_testkit.simulators.ca.commands import Issue
from connector_testkit.simulators.ca.shapes import Shape
from tests.certificates.test_shapes import DEFECTS, WITH_TRUSTED_ISSUERS
from tests.operators.upstreams import NOW, Upstreams
from tests.operators.world import ANNA, AdminWorld, route


async def test_a_plan_shows_the_whole_set(upstreams: Upstreams) -> None:
    """Every generation with its slot, the devices, what would be replaced; no key is touched."""
    report = await upstreams.plan()
    assert report.would_deliver, report.faults
    assert (report.route, report.ca, report.person) == ("staff", "main", "mara")
    assert [(row.fingerprint, row.slot) for row in report.generations] == list(
        zip(upstreams.fingerprints, ("encryption", "archived", "archived"), strict=True)
    )
    (device,) = report.devices
    assert (device.name, device.enrolled, device.unfit) == ("phone", True, None)
    assert report.replaces.startswith("a set that may have been uploaded by hand")
    assert report.digest is not None
    assert not await upstreams.touched_keys()


@pytest.mark.parametrize(
    ("state", "replaced"),
    [(CopyState.GONE, "nothing"), (CopyState.PRESENT, "another"), (CopyState.PERHAPS, "possibly")],
)
async def test_a_plan_says_what_it_would_replace(
    upstreams: Upstreams, state: CopyState, replaced: str
) -> None:
    """By what we know of the copy."""
    sent = DeliveredGeneration(fingerprint="a" * 64, public_key="b" * 64, at=NOW)
    dropped = Dropped(fingerprint="a" * 64, by="x", reason="y", at=NOW)
    report = await upstreams.plan(
        copy_=Copy(state=state, digests=("c" * 64,)), delivered=(sent,), dropped=(dropped,)
    )
    assert report.replaces.startswith(replaced)


async def test_the_same_set_is_recognised(upstreams: Upstreams) -> None:
    """An upload of the set that is there only starts its retention again."""
    digest = (await upstreams.plan()).digest
    assert digest is not None
    copy = Copy(state=CopyState.PRESENT, digests=(digest,))
    assert (await upstreams.plan(copy_=copy)).replaces.startswith("the same set")


async def test_a_dropped_generation_is_left_out(upstreams: Upstreams) -> None:
    """What a person dropped is shown with the reason."""
    drop = Dropped(fingerprint=upstreams.fingerprints[2], by="x", reason="y", at=NOW)
    last = (await upstreams.plan(dropped=(drop,))).generations[-1]
    assert (last.slot, last.why) == (None, "dropped by a person")


async def test_all_faults_are_gathered(upstreams: Upstreams) -> None:
    """Devices, mode and identity are judged although one of them would already stop it."""
    upstreams.routes["staff"] = route(mode=Mode.OBSERVE, gates=Gates(platforms=("android",)))
    other = IdentityPair(person="eve", agreeing="mara@example.com")
    report = await upstreams.plan(identity=Identity(pinned=other, pinned_at=NOW))
    assert [fault.code for fault in report.faults] == ["USR-004", "DLV-005", "IDN-001"]
    assert [row.why for row in report.generations] == ["not decided"] * 3
    assert report.devices[0].unfit == "platform not allowed"


async def test_a_compromised_device_holds_or_is_accepted(upstreams: Upstreams) -> None:
    """As the route says of other devices."""
    old = await upstreams.uem.enrol(upstreams.user, name="old", event=False)
    await upstreams.uem.change_device(old, compromised=True, event=False)
    assert [fault.code for fault in (await upstreams.plan()).faults] == ["USR-005"]
    upstreams.routes["staff"] = route(other_devices=OtherDevices.ACCEPT)
    assert (await upstreams.plan()).would_deliver


async def test_history_that_would_be_lost_is_a_fault(upstreams: Upstreams) -> None:
    """A generation that was delivered before and is not listed any more."""
    sent = DeliveredGeneration(fingerprint="a" * 64, public_key="b" * 64, at=NOW)
    report = await upstreams.plan(delivered=(sent,))
    assert [fault.code for fault in report.faults] == ["KEY-108"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"person_attribute": "employeenumber"}, "IDN-003"),
        ({"uem": "elsewhere"}, "USR-003"),
        ({"mail_domains": ("example.org",)}, "USR-003"),
    ],
)
async def test_a_route_that_does_not_fit_is_a_fault(
    upstreams: Upstreams, change: dict[str, object], code: str
) -> None:
    """Missing attributes and users of no route."""
    upstreams.routes["staff"] = route(**change)
    assert [fault.code for fault in (await upstreams.plan()).faults] == [code]


async def test_an_unknown_user_is_a_fault(upstreams: Upstreams) -> None:
    """The UEM does not know the user, or is not configured any more."""
    upstreams.key = "corp/user/99"
    assert [fault.code for fault in (await upstreams.plan()).faults] == ["USR-001"]
    upstreams.key = "gone/user/99"
    assert [fault.code for fault in (await upstreams.plan()).faults] == ["USR-007"]


async def test_an_upstream_that_is_away_is_a_fault(upstreams: Upstreams) -> None:
    """A CA that does not answer leaves the rest of the plan as it is."""
    await upstreams.uem.fault("error", status=500, count=None)
    assert [fault.code for fault in (await upstreams.plan()).faults] == ["UEM-003"]


async def test_a_look_at_a_plan_is_audited(world: AdminWorld, upstreams: Upstreams) -> None:
    """Who asked is durable before the CA is: its list of certificates is read."""
    world.backends, world.targets = upstreams.backends, upstreams.targets
    report = await world.service().plan(PlanQuery(holder=upstreams.key), Caller(ANNA))
    assert report.person == "mara"
    (event,) = await world.events(upstreams.key)
    assert event.model_dump()["body"] == {
        "kind": "plan_requested",
        "by": "local:1000 as anna",
        "reason": "",
    }


@pytest.mark.parametrize("strict", [False, True], ids=["any issuer", "trusted issuers"])
async def test_a_plan_names_each_generation_that_cannot_be_sent(
    upstreams: Upstreams, *, strict: bool
) -> None:
    """Every shape at once, with the codes that a delivery would end with; dropping settles it."""
    upstreams.routes["staff"] = route(issuers_file=str(upstreams.issuers) if strict else None)
    shapes = {
        await _issued(upstreams, shape, days): shape for shape in Shape for days in (2000, 0.5)
    }
    expected = WITH_TRUSTED_ISSUERS if strict else DEFECTS
    odd = {name: expected[shape] for name, shape in shapes.items() if shape in expected}
    report = await upstreams.plan()
    named = {fault.detail.split()[1][:16]: fault.code for fault in report.faults}
    assert named == {name[:16]: code for name, code in odd.items()}
    assert len(report.faults) == len(odd)
    reasons = {row.fingerprint: row.why for row in report.generations}
    assert {reasons[name] for name in odd} == {fault.detail for fault in report.faults}
    dropped = [Dropped(fingerprint=name, by="x", reason="y", at=NOW) for name in odd]
    report = await upstreams.plan(dropped=tuple(dropped))
    assert report.would_deliver, report.faults
    sent = {row.fingerprint for row in report.generations if row.slot is not None}
    assert sent == {*shapes, *upstreams.fingerprints} - set(odd)
    assert not await upstreams.touched_keys()


async def _issued(upstreams: Upstreams, shape: Shape, days_ago: float) -> str:
    order = Issue(person="mara", issued_days_ago=days_ago, key_algorithm=KeyAlgorithm.RSA_2048)
    return (await upstreams.ca.issue(order.model_copy(update={"shape": shape}))).fingerprint


async def test_a_plan_says_which_chains_were_not_checked(upstreams: Upstreams) -> None:
    """Without trusted issuers a chain that cannot be followed stops nothing, and is not hidden."""
    order = Issue(person="mara", issued_days_ago=2000, key_algorithm=KeyAlgorithm.RSA_2048)
    odd = await upstreams.ca.issue(order.model_copy(update={"shape": Shape.MD5}))
    report = await upstreams.plan()
    assert report.would_deliver
    reasons = {row.fingerprint: row.why for row in report.generations}
    assert reasons[odd.fingerprint].startswith("in the set; chain not checked: ")
    assert [reasons[name] for name in upstreams.fingerprints] == ["in the set"] * 3


async def test_a_key_of_an_unsupported_kind_is_seen_in_the_list(upstreams: Upstreams) -> None:
    """A signing one is left out, an encryption one is named; no key is fetched to find out."""
    upstreams.routes["staff"] = route(signing=SigningPolicy.IF_ESCROWED)
    order = Issue(person="mara", usage=Usage.SIGNING, key_algorithm=KeyAlgorithm.ED25519)
    signing = await upstreams.ca.issue(order)
    report = await upstreams.plan()
    assert report.would_deliver
    (row,) = [row for row in report.generations if row.fingerprint == signing.fingerprint]
    assert (row.slot, row.why.split(": ")[0]) == (None, "signing certificate")
    await upstreams.ca.issue(Issue(person="mara", key_algorithm=KeyAlgorithm.EC_K256))
    assert [fault.code for fault in (await upstreams.plan()).faults] == ["KEY-203"]
    assert not await upstreams.touched_keys()
