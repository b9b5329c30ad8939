"""The REST interface: who gets in, how paths and versions are read, what answers carry."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from connector_testkit.simulators.uem import UemControl
from tests.testkit.simulators.uem.conftest import Api

INFO = "/API/system/info"


async def test_right_credentials_get_in(api: Api) -> None:
    """The probe answers 200 and carries the headers that every answer has."""
    answer = await api("GET", INFO)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Api-Version"] == "v1"
    assert len(answer.headers["X-Correlation-Id"]) == 36


async def test_tenant_code_is_checked_before_the_password(api: Api) -> None:
    """Both wrong gives 403/1013; only the password wrong gives 401/1005; nothing is echoed."""
    api.password, api.tenant_code = "wrong-one", "wrong-code"
    refused = await api("GET", INFO)
    assert (refused.status, refused.content["errorCode"]) == (403, 1013)
    api.tenant_code = "bWFya2VyLXRlbmFudC1jb2Rl"
    refused = await api("GET", INFO)
    assert (refused.status, refused.content["errorCode"]) == (401, 1005)
    assert set(refused.content) == {"errorCode", "message", "activityId"}
    assert b"wrong-one" not in refused.body


@pytest.mark.parametrize("change", [{"tenant_code": None}, {"user": "somebody"}, {"user": "svc"}])
async def test_missing_parts_are_refused(api: Api, change: dict[str, str | None]) -> None:
    """Neither a missing tenant code nor another user gets in."""
    for name, value in change.items():
        setattr(api, name, value)
    assert (await api("GET", INFO)).status in {401, 403}


async def test_another_password_can_be_accepted(api: Api, control: UemControl) -> None:
    """After a change of the account only the new password works."""
    await control.accept(password="rotated")
    assert (await api("GET", INFO)).status == 401
    api.password = "rotated"
    assert (await api("GET", INFO)).status == 200


@pytest.mark.parametrize("path", ["/api/system/info", "/API/v1/System/Info", "/api/v2/SYSTEM/info"])
async def test_case_and_version_of_a_path_do_not_matter(api: Api, path: str) -> None:
    """A version that the call does not have falls back, and the answer says to which."""
    answer = await api("GET", path)
    assert (answer.status, answer.headers["X-Api-Version"]) == (200, "v1")
    assert answer.headers["Api-Supported-Versions"] == "1"


@pytest.mark.parametrize(
    "path", ["/API/system/nothing", "/elsewhere", "/API/mdm/devices/not-a-uuid"]
)
async def test_unknown_paths_are_html(api: Api, path: str) -> None:
    """An unknown route and a malformed UUID give the web server's own page."""
    answer = await api("GET", path)
    assert answer.status == 404
    assert answer.headers["Content-Type"].startswith("text/html")


async def test_the_date_header_follows_the_turned_clock(api: Api, control: UemControl) -> None:
    """A clock that disagrees with ours is visible where a client looks for it."""
    await control.set_clock(offset=-86400)
    told = parsedate_to_datetime((await api("GET", INFO)).headers["Date"])
    assert abs(datetime.now(UTC) - timedelta(days=1) - told) < timedelta(seconds=30)


async def test_the_budget_falls_by_one_per_call(api: Api) -> None:
    """Every answer, also one without a body, counts and carries the budget."""
    first, second = await api("GET", INFO), await api("GET", "/API/system/users/search")
    assert second.status == 204
    assert "Content-Type" not in second.headers
    left = [int(each.headers["X-RateLimit-Remaining"]) for each in (first, second)]
    assert left[0] - left[1] == 1


async def test_an_enforced_budget_throttles(api: Api, control: UemControl) -> None:
    """Over the limit the answer is 429 with nothing remaining."""
    await control.switch(daily_limit=2, enforces_limit=True)
    statuses = [(await api("GET", INFO)).status for _ in range(3)]
    assert statuses == [200, 200, 429]
    await control.advance_clock(86400)
    assert (await api("GET", INFO)).status == 200


async def test_no_budget_headers_when_none_is_announced(api: Api, control: UemControl) -> None:
    """The headers may be missing altogether."""
    await control.switch(daily_limit=None)
    assert "X-RateLimit-Limit" not in (await api("GET", INFO)).headers
