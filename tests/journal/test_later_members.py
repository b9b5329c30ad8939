"""Members that a later version wrote into a partition's own record, found after a rollback."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from connector.core.journal import PartitionRecord
from connector.journal.kafka.records import OwnRecord, own_outgoing
from connector_testkit.conformance.journal_samples import written
from tests.journal.test_copy import journal

LATER: dict[str, Any] = {
    "later": {"of": "tomorrow"},
    "brakes": {"all_paused": True, "later": 1, "pauses": [{"by": "local:0", "later": 2}]},
    "held_up": {"EVT-005": {"count": 1, "since": 5, "subject": "acme/user/7", "later": 3}},
    "pulled": {"uem:acme": {"position": "8", "epoch": 1, "at": 5, "later": 4}},
    "correction": {"after": "acme/user/7", "later": 5},
}


def later(stored: dict[str, Any]) -> list[object]:
    """The unknown members of a stored record, wherever they stand."""
    return [
        stored["later"],
        stored["brakes"]["later"],
        stored["brakes"]["pauses"][0]["later"],
        stored["held_up"]["EVT-005"]["later"],
        stored["pulled"]["uem:acme"]["later"],
        stored["correction"]["later"],
    ]


async def test_an_older_program_goes_on_and_keeps_them(tmp_path: Path) -> None:
    """They are there again for the version that wrote them; what is known counts as ever."""
    file = tmp_path / "journal.db"
    made = journal(file, 2)
    await made.open()
    await made.close()
    database = sqlite3.connect(file)
    (stored,) = database.execute("SELECT record FROM partitions WHERE partition = 0").fetchone()
    text = json.dumps(json.loads(stored) | LATER).encode()
    database.execute("UPDATE partitions SET record = ? WHERE partition = 0", (text,))
    database.commit()
    database.close()
    made = journal(file, 2)
    await made.open()
    record = await made.take_over(0)
    assert record.brakes.has(None)
    await written(made, record)
    await made.close()
    database = sqlite3.connect(file)
    (stored,) = database.execute("SELECT record FROM partitions WHERE partition = 0").fetchone()
    database.close()
    assert json.loads(stored)["commits"] == record.commits + 1
    assert later(json.loads(stored)) == later(LATER)


def test_the_clustered_journal_keeps_them_too() -> None:
    """Its records hold the same JSON."""
    value = json.dumps({"partition": 0} | LATER).encode()
    record = OwnRecord(0, 1, 1, b"{}", value).parse().model_copy(update={"epoch": 2})
    again = own_outgoing(record, {}, "states").value
    assert again is not None
    assert later(json.loads(again)) == later(LATER)
    assert PartitionRecord.model_validate_json(again) == record
