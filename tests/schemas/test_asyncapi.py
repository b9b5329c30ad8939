"""The AsyncAPI document against its specification, and against what the program writes."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from connector.core.events import Event
from connector.core.journal import DeadLetter, PartitionRecord
from connector.core.model import partition_of
from connector.core.states import State
from connector.journal.kafka import cloudevents, letters, records
from connector.journal.kafka.cloudevents import Outgoing
from connector.journal.kafka.names import Names
from connector.journal.kafka.topics import wanted
from connector.journal.settings import KafkaSettings
from connector.journal.states import columns, wants
from tests.schemas.asyncapi import DOCUMENT, FOLDER, Written, messages, resolved, validator
from tests.schemas.asyncapi_rules import DOCUMENT as RULES

PARTITIONS = 4
NAMES = Names("pki-connector")
EVENT: TypeAdapter[Event] = TypeAdapter(Event)
STATE: TypeAdapter[State] = TypeAdapter(State)
SEEN = b'{"5b1c":1750000000000}'


def objects(found: Any) -> Iterator[dict[str, Any]]:
    if isinstance(found, dict):
        yield found
    for inner in found.values() if isinstance(found, dict) else found:
        if isinstance(inner, dict | list):
            yield from objects(inner)


def good(kind: str) -> list[Any]:
    files = sorted((FOLDER / "examples" / kind / "good").glob("*.json"))
    return [pytest.param(file.read_text("utf-8"), id=file.stem) for file in files]


def named(channel: str, written: Outgoing) -> list[str]:
    return messages(channel, Written(written.key, written.value, written.headers))


def test_it_is_an_asyncapi_document() -> None:
    """Every object has the members that AsyncAPI 3.0.0 demands of it, and no others."""
    problems = list(Draft202012Validator(RULES).iter_errors(DOCUMENT))
    assert not problems, [(one.json_path, one.message) for one in problems]


def test_every_reference_leads_somewhere() -> None:
    """In the document, and in the schemas beside it; nothing stands beside a reference."""
    references = [one for one in objects(DOCUMENT) if "$ref" in one]
    assert len(references) > 20
    for reference in references:
        assert list(reference) == ["$ref"]
        resolved(reference["$ref"])


def test_operations_name_messages_of_their_channel() -> None:
    """As the specification wants it: the channel's own, not the component behind it."""
    for operation in DOCUMENT["operations"].values():
        channel = operation["channel"]["$ref"]
        for message in operation["messages"]:
            place, _, name = message["$ref"].rpartition("/messages/")
            assert place == channel
            assert name in resolved(channel)["messages"]


def test_every_message_is_sent_and_received() -> None:
    """Nothing is described that is written nowhere, or read nowhere."""
    every = {
        f"#/channels/{channel}/messages/{name}"
        for channel, one in DOCUMENT["channels"].items()
        for name in one["messages"]
    }
    for action in ("send", "receive"):
        told = {
            message["$ref"]
            for one in DOCUMENT["operations"].values()
            if one["action"] == action
            for message in one["messages"]
        }
        assert told == every


def test_every_schema_is_one() -> None:
    """Of headers, keys and payloads, in the dialect that they name."""
    for place in ("headers", "bindings/kafka/key", "payload"):
        for name, message in DOCUMENT["components"]["messages"].items():
            if place in message:
                inner = "/schema" if "schemaFormat" in message[place] else ""
                checked = validator(f"#/components/messages/{name}/{place}{inner}")
                checked.check_schema(checked.schema)


def test_topics_are_what_init_makes() -> None:
    """Names, partitions, copies and settings are the defaults of the program."""
    options = KafkaSettings(
        type="kafka",
        bootstrap_servers=("localhost:9092",),
        partitions=24,
        replication=3,
        min_insync_replicas=2,
    )
    described = {}
    for channel in DOCUMENT["channels"].values():
        kafka = channel["bindings"]["kafka"]
        settings = {
            name: value[0] if isinstance(value, list) else str(value)
            for name, value in kafka["topicConfiguration"].items()
        }
        name = channel["address"].replace("{prefix}", options.prefix)
        described[name] = (kafka["partitions"], kafka["replicas"], settings)
    made = {one.name: one for one in wanted(options)}
    assert described.keys() == made.keys()
    for name, (partitions, replicas, settings) in described.items():
        assert (partitions, replicas) == (made[name].partitions, made[name].replication)
        assert settings.items() <= made[name].settings.items()


def test_the_prefix_is_the_default_one() -> None:
    """And so is what it is replaced with."""
    prefix = DOCUMENT["components"]["parameters"]["prefix"]["default"]
    assert prefix == KafkaSettings.model_fields["prefix"].default


@pytest.mark.parametrize("document", good("event"))
def test_events_are_as_described(document: str) -> None:
    """Key, headers and value of every kind of event."""
    event = EVENT.validate_json(document)
    written = cloudevents.outgoing(event, NAMES.events, PARTITIONS)
    assert named("events", written) == ["event"]


def test_an_event_with_a_header_more_is_not() -> None:
    """What the document does not name would be found."""
    (document,) = good("event")[0].values
    event = EVENT.validate_json(document)
    written = cloudevents.outgoing(event, NAMES.events, PARTITIONS)
    assert not named("events", written._replace(headers=(*written.headers, ("more", b"1"))))
    assert not named("events", written._replace(headers=written.headers[1:]))


@pytest.mark.parametrize("document", good("state"))
def test_states_are_as_described(document: str) -> None:
    """A subject with a state, one that is only remembered, and one that is forgotten."""
    state = STATE.validate_json(document)
    number = partition_of(state.key, PARTITIONS)
    head = records.Head(state.key, number, 3, 17, SEEN, 1_750_000_000_000, bare=False)
    whole = records.StateRecord(head, 42, columns(state, number), wants(state, number))
    bare = records.StateRecord(head._replace(bare=True), 42, None, [])
    gone = records.StateRecord(head._replace(bare=True, seen=records.NOTHING_SEEN), 42, None, [])
    found = [
        named("states", records.state_outgoing(one, NAMES.states)) for one in (whole, bare, gone)
    ]
    assert found == [["state"], ["remembered"], ["forgotten"]]


def test_own_records_are_as_described() -> None:
    """A partition's record is distinguished from every subject's by its key."""
    known = PartitionRecord(partition=3, epoch=2, commits=9, position=41)
    assert named("states", records.own_outgoing(known, {}, NAMES.states)) == ["partition"]


def test_letters_are_as_described() -> None:
    """One that waits, one that was brought from another journal, and one that is settled."""
    letter = DeadLetter(partition=1, position=7, code="EVT-005", original="AA==", at=1)
    text = letter.model_dump_json().encode()
    for position in (7, -7):
        assert named("deadLetter", letters.outgoing(1, position, text, NAMES.dead_letter)) == [
            "letter"
        ]
    assert named("deadLetter", letters.outgoing(1, 7, None, NAMES.dead_letter)) == ["settled"]


def test_versions_are_the_programs() -> None:
    """The described version of states is the newest that the program writes."""
    described = DOCUMENT["components"]["schemas"]["headHeaders"]["properties"]["schema"]
    assert described["const"] == str(records.SCHEMA)
