"""Reading what the interface writes: members, ids, dates, names of certificates, log entries."""

import json
import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.model import Generation, Usage
from connector.integrations.workspace_one.certificates import Wanted
from connector.integrations.workspace_one.evidence import confirmed_at
from connector.integrations.workspace_one.members import Members
from connector.integrations.workspace_one.upload import _escaped

MOMENT = datetime(2024, 3, 5, 9, 13, 59, 572012, tzinfo=UTC)
MILLIS = 1709630039572


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
