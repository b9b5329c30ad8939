"""Records that the connector cannot read: kept, seen from every pod, put in again or given up."""

import base64
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.core.journal import DeadLetter, DeadLetterFilter, Positioned
from connector.core.model import SubjectKind, partition_of, subject_key
from connector.core.states import Phase
from connector.journal.kafka.clients import Clients
from connector.journal.settings import KafkaSettings
from connector_testkit.conformance.journal_samples import event, some_subjects, written
from connector_testkit.demo.broker import Brokers
from connector_testkit.demo.polling import ASK, until
from tests.e2e.states import in_phase
from tests.kafka.conftest import single
from tests.kafka.kafka_world import KafkaWorld, opened
from tests.kafka.pair import PARTITIONS, Pair

FOREIGN = b"\x00\x01 not ours \xff"


async def produce(
    options: KafkaSettings,
    partition: int,
    value: bytes,
    headers: tuple[tuple[str, bytes], ...] = (),
) -> None:
    """A record that some other program writes."""
    producer = Clients(options).producer()
    await producer.start()
    try:
        topic = options.names.events
        await producer.send_and_wait(topic, value, partition=partition, headers=list(headers))
    finally:
        await producer.stop()


@pytest.fixture
async def world(topics: KafkaSettings, tmp_path: Path) -> AsyncIterator[KafkaWorld]:
    async with opened(topics, tmp_path) as made:
        yield made


async def test_a_foreign_record_is_kept_byte_for_byte(world: KafkaWorld) -> None:
    """With its headers and its place; another pod lists it as soon as it is set aside."""
    await produce(world.options, 0, FOREIGN, (("origin", b"\xfe"),))
    (letter,) = await world.journal.read(0, 0, 10)
    assert isinstance(letter, DeadLetter)
    assert base64.b64decode(letter.original) == FOREIGN
    assert [(name, base64.b64decode(value)) for name, value in letter.headers] == [
        ("origin", b"\xfe")
    ]
    other = world.another()
    await other.open()
    record = await world.journal.take_over(0)
    record = await written(world.journal, record, position=letter.position, dead_letters=[letter])
    assert await other.dead_letters(DeadLetterFilter()) == [letter]
    await written(world.journal, record, settled=[letter.position])
    assert await other.dead_letters(DeadLetterFilter()) == []
    await other.close()


async def test_a_record_without_a_body_is_a_letter(world: KafkaWorld) -> None:
    """A tombstone among the events is not an event."""
    await produce(world.options, 0, b"")
    (letter,) = await world.journal.read(0, 0, 10)
    assert isinstance(letter, DeadLetter)


async def test_an_event_in_the_wrong_partition_is_revived_into_its_own(world: KafkaWorld) -> None:
    """Its order there is lost, so a person decides; then it is an event like any other."""
    (subject,) = some_subjects(world.journal, 1, 1)
    odd = event(subject)
    await produce(world.options, 0, odd.model_dump_json().encode())
    (letter,) = await world.journal.read(0, 0, 10)
    assert isinstance(letter, DeadLetter)
    assert world.journal.revive(letter) == odd


async def test_an_event_that_was_set_aside_may_come_again(world: KafkaWorld) -> None:
    """Its id counts as consumed only when it was done, not when the program failed over it."""
    (subject,) = some_subjects(world.journal, 1)
    one = event(subject)
    await world.journal.append([one])
    (found,) = await world.journal.read(0, 0, 10)
    body = base64.b64encode(one.model_dump_json().encode()).decode()
    letter = DeadLetter(partition=0, position=found.position, code="SRV-003", original=body, at=1)
    record = await world.journal.take_over(0)
    await written(world.journal, record, position=found.position, dead_letters=[letter])
    await world.journal.append([world.journal.revive(letter)])
    (again,) = await world.journal.read(0, found.position, 10)
    assert isinstance(again, Positioned)
    assert again.event == one


class Letters:
    """Two pods, and the dead letters as the second one tells of them."""

    def __init__(self, pair: Pair, options: KafkaSettings) -> None:
        self.pair = pair
        self.options = options

    async def listed(self, count: int) -> list[dict[str, Any]]:
        """Wait until there are that many."""

        async def look() -> list[dict[str, Any]] | None:
            found: list[dict[str, Any]] = (await self.pair.second.ask("dlq", "list"))["items"]
            return found if len(found) == count else None

        if not count:
            await until("no dead letter is left", self._none, every=ASK)
            return []
        return await until(f"{count} dead letters", look, every=ASK)

    async def _none(self) -> bool:
        return not (await self.pair.second.ask("dlq", "list"))["items"]

    async def acts(self) -> list[dict[str, Any]]:
        """What the trail says of dead letters."""
        _, text = await self.pair.first.tell("audit", "export", "--output", "json")
        entries = [json.loads(line)["entry"] for line in text.splitlines()]
        return [one for one in entries if one["action"].startswith("person.dead_letter")]


@pytest.fixture
async def letters(
    tmp_path: Path, broker: Brokers, prefixes: Iterator[str]
) -> AsyncIterator[Letters]:
    prefix = next(prefixes)
    async with Pair(tmp_path / "stage", broker, prefix) as pair:
        await pair.join(pair.second)
        await pair.shared()
        yield Letters(pair, single(broker, prefix, partitions=PARTITIONS))


async def test_the_work_goes_on_and_people_settle_letters(letters: Letters) -> None:
    """Foreign bytes and events from the future stop no subject; acts on them are in the trail."""
    pair = letters.pair
    future = json.dumps({"schema_version": 2, "id": "x", "body": {"kind": "unheard_of"}})
    for partition in range(PARTITIONS):
        await produce(letters.options, partition, FOREIGN)
        await produce(letters.options, partition, future.encode())
    actor = await pair.person("alice")
    await pair.enrol(actor)
    await pair.at(pair.first, actor, "completed", in_phase(Phase.COMPLETED))
    found = await letters.listed(2 * PARTITIONS)
    assert {one["code"] for one in found} == {"EVT-005"}
    shown = await pair.second.ask("dlq", "show", found[0]["place"])
    assert base64.b64decode(shown["letter"]["original"]) == FOREIGN
    code, out = await pair.second.tell("dlq", "replay", "--all", "--rate", "100", "-o", "json")
    assert code == 7
    assert {one["result"] for one in json.loads(out)["outcomes"]} == {"dead"}
    await pair.second.ask("dlq", "drop", "--code", "EVT-005", "--reason", "foreign")
    await letters.listed(0)
    acts = await letters.acts()
    assert len(acts) == 2 * PARTITIONS
    assert {(one["action"], one["reason"]) for one in acts} == {
        ("person.dead_letter_dropped", "foreign")
    }


async def test_a_replayed_letter_is_done(letters: Letters) -> None:
    """An enrolment that was written into the wrong partition, from the other pod."""
    pair = letters.pair
    key = next(
        key
        for number in range(100)
        if partition_of(key := subject_key("corp", SubjectKind.DEVICE, str(number)), PARTITIONS)
    )
    odd = event(key)
    await produce(letters.options, 0, odd.model_dump_json().encode())
    (found,) = await letters.listed(1)
    assert (found["reads_as"], found["subject"]) == ("device_changed", key)
    done = await pair.second.ask("dlq", "replay", found["place"], "--reason", "written by hand")
    assert done["outcomes"][0]["result"] == "replayed"
    await letters.listed(0)
    (act,) = await letters.acts()
    assert (act["action"], act["reason"]) == ("person.dead_letter_replayed", "written by hand")
