"""Error objects of the simulated UEM in every form that is known or likely."""

from itertools import product

import pytest

from connector.core.errors import Family
from connector.core.model import Slot
from connector_testkit.conformance.target_child import Deliverer
from connector_testkit.conformance.target_samples import sample
from connector_testkit.conformance.target_world import failure
from tests.integrations.workspace_one.conftest import PROFILE, UemWorld

FORMS = list(product(["json", "xml"], ["errorCode", "ErrorCode"]))


@pytest.mark.parametrize(("form", "members"), FORMS)
async def test_an_unknown_user_is_none_in_every_form(
    uem: UemWorld, form: str, members: str
) -> None:
    """Users, devices, and profiles that are pushed."""
    device = await uem.add_device(await uem.add_holder())
    await uem.control.switch(error_format=form, error_members=members)
    async with uem.target() as target:
        assert await target.look_up("99", uem.profiles) is None
        assert await target.look_up_device("99") is None
        error = await failure(target.push(device, "9999"))
    assert (error.code, error.family) == ("UEM-404", Family.PERMANENT)


@pytest.mark.parametrize(("form", "members"), FORMS)
async def test_a_refused_upload_quotes_the_numbers_in_every_form(
    uem: UemWorld, deliverer: Deliverer, form: str, members: str
) -> None:
    """Of an unknown user, and of a body that the UEM does not take."""
    await uem.control.switch(error_format=form, error_members=members)
    holder = await uem.add_holder()
    await uem.control.fault("error", path="uploadsmimecerts", status=400)
    for user, code in ((holder, "UEM-400"), ("99", "UEM-404")):
        outcome = await deliverer.deliver(
            uem.target(), uem.reference(), user, [sample(Slot.ENCRYPTION)]
        )
        assert outcome.fault is not None
        assert outcome.fault.code == code
        assert "error 1000, activity " in outcome.fault.detail


async def test_a_page_for_people_is_somebody_elses_and_passes(uem: UemWorld) -> None:
    """It never means that a user, device or profile is not there."""
    device = await uem.add_device(await uem.add_holder())
    await uem.control.switch(error_format="html")
    async with uem.target() as target:
        for look in (
            target.look_up("99", uem.profiles),
            target.look_up_device("99"),
            target.push(device, "9999"),
        ):
            error = await failure(look)
            assert (error.code, error.family) == ("UEM-011", Family.TRANSIENT)
        await target.push(device, PROFILE)


@pytest.mark.parametrize("status", [400, 404, 406, 410, 413, 451])
async def test_a_page_of_a_proxy_is_somebody_elses_with_any_refusal(
    uem: UemWorld, status: int
) -> None:
    """About a user, a device and a push: it says nothing about them."""
    holder = await uem.add_holder()
    device = await uem.add_device(holder)
    async with uem.target() as target:
        for look in (
            lambda: target.look_up(holder, uem.profiles),
            lambda: target.look_up_device(device),
            lambda: target.push(device, PROFILE),
        ):
            await uem.control.fault("html", status=status)
            error = await failure(look())
            assert (error.code, error.family) == ("UEM-011", Family.TRANSIENT)


@pytest.mark.parametrize("status", [400, 413])
async def test_a_refusal_in_the_uems_own_words_is_no_page(uem: UemWorld, status: int) -> None:
    """Although it is sent as HTML."""
    own = '{"errorCode": 1000, "message": "<html>"}'
    await uem.control.fault("raw", status=status, body=own, content_type="text/html")
    async with uem.target() as target:
        assert (await failure(target.look_up_device("15"))).code == "UEM-005"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{}",
        "[]",
        '{"errorCode": "none"}',
        "<a><b/></a>",
        "<a>",
        '<!DOCTYPE a [<!ENTITY e "1005">]><a><errorCode>&e;</errorCode></a>',
        '<?xml version="1.0" encoding="odd"?><a/>',
    ],
)
async def test_what_is_no_error_object_says_nothing(uem: UemWorld, body: str) -> None:
    """In any format and encoding."""
    await uem.control.fault("raw", path="devices/", status=404, body=body)
    async with uem.target() as target:
        assert (await failure(target.look_up_device("15"))).code == "UEM-011"
