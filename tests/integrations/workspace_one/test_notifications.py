"""What the UEM's notifications mean."""

import json
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.core.errors import Rejected
from connector.core.events import DeviceChanged, DeviceEnrolled, DeviceUnenrolled, Event
from connector.decoding import media_type
from connector.integrations.workspace_one.notifications import BY_TYPE, normalise
from connector.sources.authentication import BasicAuthentication, VerifiedNotification
from tests.sources.world import CONSOLES, DATA, NOW, basic

JSON = "application/json"
CALLER = BasicAuthentication(CONSOLES).caller("acme", basic()["Authorization"])


def notification(body: bytes, *, is_xml: bool = False) -> VerifiedNotification:
    return CALLER.notification(body, media_type("application/xml" if is_xml else JSON))


def of_file(name: str) -> Event | None:
    path = DATA / name
    return normalise(notification(path.read_bytes(), is_xml=path.suffix == ".xml"), NOW)


def of(**members: object) -> Event | None:
    return normalise(notification(json.dumps(members).encode()), NOW)


def body_of(event: Event | None) -> DeviceEnrolled | DeviceUnenrolled | DeviceChanged:
    assert event is not None
    assert isinstance(event.body, DeviceEnrolled | DeviceUnenrolled | DeviceChanged)
    return event.body


def test_a_time_in_the_future_counts_as_now_and_keeps_its_own_id() -> None:
    """The id stays that of the sender's time, so that a repetition is recognised."""
    members = {"EventType": "Enrollment Complete", "DeviceId": 15}
    first, second = (of(**members, EventTime=f"2999-01-0{day}T00:00:00Z") for day in (1, 2))
    assert first is not None
    assert second is not None
    assert (first.occurred_at, second.occurred_at) == (NOW, NOW)
    assert first.id != second.id


@pytest.mark.parametrize("kind", ["json", "xml"])
@pytest.mark.parametrize("name", ["enrolment", "enrolment-second-spelling"])
def test_an_enrolment_is_one_event_however_it_is_told(name: str, kind: str) -> None:
    """JSON and XML, and both spellings of the type, have one id, subject, time and body."""
    event = of_file(f"{name}.{kind}")
    assert event == of_file("enrolment.json")
    assert event is not None
    assert event.subject == "acme/device/15"
    assert event.occurred_at == 1_709_630_039_572
    assert event.received_at == NOW
    assert event.body == DeviceEnrolled(platform="Apple")


def test_old_releases_are_understood() -> None:
    """`/Date(ms)/`, `System.Byte[]` and a missing user id; the XML writes the same moment."""
    event = of_file("old-release-enrolment.json")
    assert event == of_file("old-release-enrolment.xml")
    assert event is not None
    assert event.occurred_at == 1_391_182_403_986
    assert event.body == DeviceEnrolled(platform="Apple")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("unenrolment.json", DeviceUnenrolled()),
        ("unenrolment.xml", DeviceUnenrolled()),
        ("old-release-unenrolment.json", DeviceUnenrolled()),
        ("enterprise-wipe-requested.json", DeviceUnenrolled(why="enterprise wipe requested")),
        ("compromised-at-enrolment.json", DeviceChanged(what="compromised status")),
        ("compliance-changed.json", DeviceChanged(what="compliance status")),
        ("operating-system-changed.json", DeviceChanged(what="operating system")),
        ("organisation-group-changed.json", DeviceChanged(what="organisation group")),
    ],
)
def test_each_raw_notification_means_what_it_says(
    name: str, body: DeviceUnenrolled | DeviceChanged
) -> None:
    """The text decides, also where the number says something else."""
    assert body_of(of_file(name)) == body


def test_every_raw_notification_is_tried() -> None:
    """No file of the test data is forgotten, and none is refused."""
    files = [path for path in DATA.iterdir() if path.suffix in {".json", ".xml"}]
    assert len(files) >= 14
    ignored = [path.name for path in files if of_file(path.name) is None]
    assert ignored == ["mobile-country-changed.json"]


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({"EventId": 148}, "device_enrolled"),
        ({"EventId": "148", "EventType": ""}, "device_enrolled"),
        ({"EventId": 39, "EventType": "MDM Enrollment Complete"}, "device_enrolled"),
        ({"EventId": 39, "EventType": "Something New"}, "device_unenrolled"),
        ({"EventType": "  mdm ENROLLMENT complete "}, "device_enrolled"),
    ],
)
def test_number_counts_only_where_the_text_says_nothing(
    members: dict[str, object], kind: str
) -> None:
    """Type first, number second, spaces and case aside."""
    assert body_of(of(DeviceId=15, **members)).kind == kind


@pytest.mark.parametrize("text", [name for name, body in BY_TYPE.items() if body is None])
def test_types_without_meaning_are_ignored_whatever_their_number(text: str) -> None:
    """Senders exist that put one number on every type."""
    assert of(EventType=text, EventId=148, DeviceId=15) is None


@pytest.mark.parametrize("members", [{}, {"EventType": "User Created"}, {"EventId": 77}])
def test_unknown_types_need_no_device(members: dict[str, object]) -> None:
    """What means nothing to us is ignored, however little it says."""
    assert of(**members) is None


@pytest.mark.parametrize("device", [15, "15", "015", " 15 "], ids=repr)
def test_one_device_has_one_key(device: object) -> None:
    """A number and its text are the same device."""
    event = of(EventId=148, DeviceId=device)
    assert event is not None
    assert event.subject == "acme/device/15"


@pytest.mark.parametrize(
    "device",
    [None, "", 0, -1, "x", "1/2", "\N{ARABIC-INDIC DIGIT ONE}5", 2**63, True, 1.5, [15], "9" * 30],
)
def test_without_a_device_an_enrolment_is_malformed(device: object) -> None:
    """The device is the one thing that must be certain."""
    with pytest.raises(Rejected) as caught:
        of(EventId=148, DeviceId=device)
    assert caught.value.code == "EVT-001"


def test_times_a_millisecond_apart_are_two_events() -> None:
    """The id has the sender's time at millisecond precision: finer digits do not matter."""
    ids = [
        event.id
        for time in (
            "2024-03-05T09:13:59.5720125Z",
            "2024-03-05T09:13:59.5729999Z",
            "2024-03-05T10:13:59.572+01:00",
            "2024-03-05T09:13:59.573Z",
        )
        if (event := of(EventId=148, DeviceId=15, EventTime=time))
    ]
    assert ids[0] == ids[1] == ids[2] != ids[3]


def test_ids_differ_by_tenant_device_kind_and_what_changed() -> None:
    """Different happenings of one moment stay apart."""
    time = "2024-03-05T09:13:59Z"
    events = [
        of(EventId=148, DeviceId=15, EventTime=time),
        of(EventId=148, DeviceId=16, EventTime=time),
        of(EventId=39, DeviceId=15, EventTime=time),
        of(EventType="ComplianceStatusChanged", DeviceId=15, EventTime=time),
        of(EventType="CompromisedStatusChanged", DeviceId=15, EventTime=time),
    ]
    lonely = BasicAuthentication(CONSOLES).caller(
        "lonely", basic("uem", "another")["Authorization"]
    )
    raw = json.dumps({"EventId": 148, "DeviceId": 15, "EventTime": time}).encode()
    events.append(normalise(lonely.notification(raw, media_type(JSON)), NOW))
    assert len({event.id for event in events if event}) == len(events)


@pytest.mark.parametrize("time", [None, "", "yesterday", "0001-01-01T00:00:00", "/Date(x)/"])
def test_without_a_time_the_same_bytes_are_the_same_event(time: str | None) -> None:
    """The id then comes from the body; another body is another event."""
    first = of(EventId=148, DeviceId=15, EventTime=time)
    again = of(EventId=148, DeviceId=15, EventTime=time)
    other = of(EventId=148, DeviceId=15, EventTime=time, DeviceFriendlyName="x")
    assert first
    assert again
    assert other
    assert first.occurred_at is None
    assert first.id == again.id != other.id


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<Eventlog>",
        b"<Other><EventId>148</EventId></Other>",
        b"<!DOCTYPE Eventlog [<!ENTITY a 'b'>]><Eventlog><EventType>&a;</EventType></Eventlog>",
        b"<!DOCTYPE Eventlog SYSTEM 'file:///etc/passwd'><Eventlog/>",
        b"<Eventlog><EventType>" + b"x" * 600 + b"</EventType></Eventlog>",
    ],
)
def test_hostile_xml_is_refused(body: bytes) -> None:
    """Document types and entities are not even looked at."""
    with pytest.raises(Rejected) as caught:
        normalise(notification(body, is_xml=True), NOW)
    assert caught.value.code == "EVT-001"


def test_default_namespace_is_tolerated() -> None:
    """Some serialisers put members into a namespace."""
    body = b"<Eventlog xmlns='urn:x'><EventId>148</EventId><DeviceId>15</DeviceId></Eventlog>"
    event = normalise(notification(body, is_xml=True), NOW)
    assert event is not None
    assert event.subject == "acme/device/15"


def test_a_refusal_repeats_nothing_of_the_body() -> None:
    """Neither text nor cause of the exception holds what was sent."""
    marker = "MARKER-5e1f"
    for raw, is_xml in ((f'{{"EventId": "{marker * 20}"}}', False), (f"<{marker}>", True)):
        with pytest.raises(Rejected) as caught:
            normalise(notification(raw.encode(), is_xml=is_xml), NOW)
        assert marker not in repr(caught.value)
        assert caught.value.__suppress_context__


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
MEMBERS = st.sampled_from(
    ["EventId", "EventType", "DeviceId", "EventTime", "EnrollmentUserId", "Platform", "Udid"]
)
NEARLY = st.fixed_dictionaries(
    {"EventId": st.sampled_from([148, 39, "178", 229])},
    optional={
        "DeviceId": JSON_VALUES | st.integers(1, 99),
        "EventTime": JSON_VALUES | st.datetimes().map(str),
        "EnrollmentUserId": JSON_VALUES,
        "Platform": JSON_VALUES,
    },
)


@given(body=st.binary(max_size=300), is_xml=st.booleans())
@example(body=b"[" * 100_000, is_xml=False)
@example(body=b'{"DeviceId":' + b"9" * 10_000 + b',"EventId":148}', is_xml=False)
@example(body=b'{"EventId":148,"DeviceId":15,"Platform":"\\ud800"}', is_xml=False)
@example(body=b"<Eventlog>" + b"<a>" * 20_000, is_xml=True)
@example(body=b"\xff\xfe<\x00E\x00", is_xml=True)
def test_arbitrary_bytes_are_an_event_or_a_refusal(body: bytes, is_xml: bool) -> None:  # noqa: FBT001
    """No bytes raise anything but a refusal."""
    with suppress(Rejected):
        normalise(notification(body, is_xml=is_xml), NOW)


@given(members=st.dictionaries(MEMBERS, JSON_VALUES, max_size=6) | NEARLY)
def test_arbitrary_members_are_an_event_or_a_refusal(members: dict[str, object]) -> None:
    """Nor does any JSON object, and an event can always be written to the journal."""
    with suppress(Rejected):
        event = of(**members)
        if event is not None:
            assert Event.model_validate_json(event.model_dump_json()) == event
