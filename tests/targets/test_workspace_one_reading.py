"""Reading what the interface writes: members, ids, dates, names of certificates, log entries."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.model import Generation, Usage
from connector.simulators.uem.dates import SHAPES
from connector.targets.workspace_one.certificates import Wanted
from connector.targets.workspace_one.dates import read_date
from connector.targets.workspace_one.events import confirmed_at
from connector.targets.workspace_one.members import Members
from connector.targets.workspace_one.upload import _escaped

MOMENT = datetime(2024, 3, 5, 9, 13, 59, 572012, tzinfo=UTC)
MILLIS = 1709630039572


@pytest.mark.parametrize(
    ("text", "millis"),
    [
        ("2022-02-14T20:10:21.540", 1644869421540),
        ("2022-02-14T20:10:21", 1644869421000),
        ("2020-02-24T16:52:25.9231303Z", 1582563145923),
        ("2020-02-24T16:52:25.92313Z", 1582563145923),
        ("2020-02-24T18:52:25.923+02:00", 1582563145923),
        ("2022-02-14 20:10:21", 1644869421000),
        ("02/14/2022 20:10:21", 1644869421000),
        ("2/14/2022 8:10:21 PM", 1644869421000),
        ("2/14/2022 12:00:00 AM", 1644796800000),
        ("7/30/2026 12:00:00", 1785412800000),
        ("7/30/2026", 1785369600000),
        ("/Date(1391182403986)/", 1391182403986),
        ("/Date(1391182403986+0100)/", 1391182403986),
        ("0001-01-01T00:00:00.000", None),
        ("1/1/0001 12:00:00 AM", None),
        ("/Date(-62135596800000)/", None),
        ("13/13/2022 20:10:21", None),
        ("2/14/2022 0:10:21 PM", None),
        ("yesterday", None),
        ("", None),
        ("9" * 400, None),
    ],
)
def test_dates_of_all_shapes_are_read(text: str, millis: int | None) -> None:
    """Seen shapes are moments in UTC; "never" and nonsense are none."""
    assert read_date(text) == millis


@given(st.integers(min_value=0, max_value=4_000_000_000), st.sampled_from(SHAPES))
def test_a_date_means_the_same_in_every_shape(seconds: int, shape: Any) -> None:
    """Whole seconds survive whatever the server writes."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    found = read_date(shape(moment))
    assert found is not None
    assert found // 1000 == seconds


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_a_date(text: str) -> None:
    """Whatever comes from outside is a date or nothing."""
    assert read_date(text) is None or isinstance(read_date(text), int)


@pytest.mark.parametrize(
    ("value", "identifier"),
    [
        ({"Value": 12}, "12"),
        ({"value": "12"}, "12"),
        ({"Id": {"Value": 12}, "Name": "M"}, "12"),
        ({"Id": 12}, "12"),
        (12, "12"),
        ("012", "12"),
        (0, ""),
        ("0", ""),
        (-1, ""),
        (1.5, ""),
        (True, ""),
        ("12a", ""),
        ("\u0661\u0662", ""),
        (None, ""),
        ([12], ""),
        ({}, ""),
        ("9" * 30, ""),
    ],
    ids=repr,
)
def test_an_id_is_found_however_it_is_wrapped(value: object, identifier: str) -> None:
    """Object, number or numeric text; anything else is no id."""
    assert Members({"ID": value}).identifier("id") == identifier


def test_members_are_found_whatever_their_case() -> None:
    """Releases differ; a missing member reads as nothing."""
    members = Members({"userName": "mmuster", "Status": True, "List": [{"A": 1}, 2]})
    assert members.text("username") == "mmuster"
    assert members.text("status") == "true"
    assert [each.number("a") for each in members.objects("list") or []] == [1]
    assert members.objects("nothing") is None
    assert members.inner("nothing").text("nothing") == ""


GENERATION = Generation(
    fingerprint="0" * 64,
    public_key="1" * 64,
    usage=Usage.ENCRYPTION,
    issuer="CN=Example Mail CA,O=Example\\, Inc.,C=CH",
    serial="1",
    subject="CN=Maria Muster,O=Example\\, Inc.,C=CH",
    not_before=0,
    not_after=MILLIS,
)


def entry(**changes: str) -> Members:
    return Members(
        {
            "Name": "Maria Muster",
            "IssuedBy": "Example Mail CA",
            "ExpiresOn": "3/5/2024 09:13:59",
            "LastSampleTime": "2024-03-06T10:00:00.000",
        }
        | changes
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Name": "CN=Maria Muster, O=Example\\, Inc., C=CH"},
        {"Name": "C=CH,O=Example\\, Inc.,CN=Maria Muster"},
        {"IssuedBy": "example mail ca "},
        {"ExpiresOn": "2024-03-05T09:13:59.000Z"},
    ],
)
def test_a_certificate_is_recognised_in_a_devices_list(changes: dict[str, str]) -> None:
    """By name, issuer and second of expiry, in the spellings that may occur."""
    assert Wanted(GENERATION, 0).seen_at([entry(**changes)]) == 1709719200000


@pytest.mark.parametrize(
    "changes",
    [
        {"Name": "Maria Muster-Meier"},
        {"Name": ""},
        {"IssuedBy": "Example Mail CA 2"},
        {"ExpiresOn": "3/5/2024 09:14:00"},
        {"ExpiresOn": ""},
        {"LastSampleTime": ""},
    ],
)
def test_another_certificate_is_not_taken_for_ours(changes: dict[str, str]) -> None:
    """An older generation differs in its expiry; without a sample time nothing is proven."""
    assert Wanted(GENERATION, 0).seen_at([entry(**changes)]) is None


def test_the_expiry_may_differ_as_far_as_the_settings_say() -> None:
    """For servers that write local time or round."""
    listed = [entry(ExpiresOn="3/5/2024 10:13:59")]
    assert Wanted(GENERATION, 3599).seen_at(listed) is None
    assert Wanted(GENERATION, 3600).seen_at(listed) is not None


def log(event: str, at: str, data: object) -> Members:
    return Members({"Event": event, "TimeStamp": at, "EventDataList": data})


def test_the_newest_confirmed_installation_of_our_profile_counts() -> None:
    """Other events, other profiles and older lines do not."""
    ours = [{"Name": "ProfileName", "Value": "Mail S/MIME"}]
    entries = [
        log("InstallProfileConfirmed", "2024-03-05T10:00:00", ours),
        log("Install Profile Confirmed", "2024-03-05T11:00:00", {"ProfileId": 4711}),
        log("InstallProfileConfirmed", "2024-03-05T12:00:00", [{"Value": "Wi-Fi"}]),
        log("InstallProfileRequested", "2024-03-05T13:00:00", ours),
        log("InstallProfileConfirmed", "nonsense", ours),
        log("InstallProfileConfirmed", "2024-03-05T14:00:00", None),
    ]
    random.Random(1).shuffle(entries)
    names = frozenset({"4711", "Mail S/MIME"})
    assert confirmed_at(entries, "InstallProfileConfirmed", names) == 1709636400000
    assert confirmed_at([], "InstallProfileConfirmed", names) is None


@given(st.text())
def test_a_password_of_any_characters_survives_the_body(password: str) -> None:
    """It is written byte by byte and read back as JSON."""
    written = b"".join(_escaped(byte) for byte in password.encode("utf-8", "ignore"))
    assert json.loads(b'"' + written + b'"') == password.encode("utf-8", "ignore").decode()
