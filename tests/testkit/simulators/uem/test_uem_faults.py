"""Faults of the REST interface on command."""

import aiohttp
import pytest

from connector_testkit.simulators.uem import UemControl
from connector_testkit.simulators.uem.control import ControlError
from tests.testkit.simulators.uem.conftest import Api
from tests.testkit.simulators.uem.keyring import MadePair, upload_body

INFO = "/API/system/info"
CUT = (aiohttp.ClientError, ConnectionResetError)


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("unauthorized", 401, 1005), ("forbidden", 403, 1013), ("throttled", 429, 1016)],
)
async def test_refusals_for_a_while(
    api: Api, control: UemControl, kind: str, status: int, code: int
) -> None:
    """For that number of requests, then all is well again; the ledger names the fault."""
    await control.fault(kind, count=2, retry_after="7")
    answers = [await api("GET", INFO) for _ in range(3)]
    assert [answer.status for answer in answers] == [status, status, 200]
    assert answers[0].content["errorCode"] == code
    assert answers[0].headers["Retry-After"] == "7"
    faults = [entry["fault"] for entry in await control.ledger("request")]
    assert faults == [kind, kind, None]


async def test_a_standing_fault_lasts_until_it_is_ended(api: Api, control: UemControl) -> None:
    """401 for ever, until cleared."""
    fault = await control.fault("unauthorized", count=None)
    assert {(await api("GET", INFO)).status for _ in range(3)} == {401}
    await control.clear_faults(fault)
    assert (await api("GET", INFO)).status == 200


async def test_faults_choose_by_path_and_method(api: Api, control: UemControl) -> None:
    """Others are not touched."""
    await control.fault("error", path="/Users/", method="get", status=502, count=None)
    assert (await api("GET", INFO)).status == 200
    assert (await api("GET", "/API/system/users/search")).status == 502
    assert (await api("POST", "/API/system/users/12/uploadsmimecerts")).status == 404
    await control.clear_faults()
    assert (await api("GET", "/API/system/users/search")).status == 204


async def test_throttling_without_any_hint(api: Api, control: UemControl) -> None:
    """429 with neither ``Retry-After`` nor anything else in particular."""
    await control.fault("throttled")
    assert "Retry-After" not in (await api("GET", INFO)).headers


async def test_nonsense_answers(api: Api, control: UemControl) -> None:
    """HTML, an empty body, and 10 MB of any bytes."""
    await control.fault("html")
    await control.fault("html", status=200)
    await control.fault("empty")
    await control.fault("raw", body="x" * 1000, repeat=10_000, content_type="text/plain")
    answers = [await api("GET", INFO) for _ in range(4)]
    assert [answer.status for answer in answers] == [404, 200, 200, 200]
    assert b"<html>" in answers[0].body
    assert b"<html>" in answers[1].body
    assert answers[2].body == b""
    assert len(answers[3].body) == 10_000_000


async def test_a_slow_answer_is_right_in_the_end(api: Api, control: UemControl) -> None:
    """It takes its time, and does what was asked."""
    await control.fault("slow", seconds=0.05)
    assert (await api("GET", INFO)).status == 200


@pytest.mark.parametrize(("kind", "applied"), [("reset", False), ("apply_reset", True)])
async def test_cut_connections(
    api: Api, control: UemControl, pairs: list[MadePair], kind: str, *, applied: bool
) -> None:
    """The client sees the same; only the copy tells whether the upload was applied."""
    user = await control.add_user("ada")
    await control.fault(kind, path="uploadsmimecerts")
    with pytest.raises(CUT):
        await api.upload(user, upload_body(pairs[0]))
    assert (await control.copy(user))["present"] is applied
    entry = await control.wait_for("request", lambda each: each["fault"] == kind)
    assert entry["status"] is None


@pytest.mark.parametrize(("kind", "applied"), [("silent", False), ("apply_silent", True)])
async def test_answers_that_never_come(
    api: Api, control: UemControl, pairs: list[MadePair], kind: str, *, applied: bool
) -> None:
    """Applied or not, nothing is said; the client's limit ends it."""
    user = await control.add_user("ada")
    await control.fault(kind, path="uploadsmimecerts")
    limit = aiohttp.ClientTimeout(total=0.2)
    path = f"/API/system/users/{user}/uploadsmimecerts"
    with pytest.raises(TimeoutError):
        await api("POST", path, upload_body(pairs[0]), timeout=limit)
    assert (await control.copy(user))["present"] is applied
    entry = await control.wait_for("request", lambda each: each["fault"] == kind)
    assert entry["status"] is None


async def test_bad_commands_are_refused(control: UemControl) -> None:
    """An unknown kind, member and device are distinguished, without echo."""
    with pytest.raises(ControlError, match="400 invalid") as refusal:
        await control.fault("no-such-kind")
    assert "no-such-kind" not in str(refusal.value)
    with pytest.raises(ControlError, match="400 invalid"):
        await control.switch(no_such_switch=1)
    with pytest.raises(ControlError, match="404 unknown"):
        await control.unenrol(999)
