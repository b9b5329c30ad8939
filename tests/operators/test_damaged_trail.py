"""A trail that a foreign hand has changed: the check ends, in bounded memory, and says so."""

import asyncio
import shutil
import sqlite3
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import orjson
import pytest

from connector.core.audit import LARGEST, AuditEntry, link
from connector.core.secret import Credential
from connector.journal.kafka.trail import row_behind
from connector.operators.auditing import check_journal
from connector.operators.chain_check import ChainCheck
from connector.operators.verbs.audit import Published
from tests.operators.world import AdminWorld, holder
from tests.patience import PATIENCE

RECORDS = 30
NUMBER = 5
"""Sequence of the damaged record, in partition 0."""
WHERE = {"audit": f"partition = 0 AND sequence = {NUMBER}", "partitions": "partition = 0"}
COLUMNS = {
    "audit": ("partition", "sequence", "record"),
    "partitions": ("partition", "epoch", "position", "audit_count", "record"),
}
VALUES: dict[str, object] = {
    "another number": 7777,
    "negative": -7,
    "greatest number": 2**63 - 1,
    "fraction": 2.5,
    "infinite": float("inf"),
    "text": "five",
    "empty": "",
    "bytes": b"\xff\x00",
    "large": b"\x00" * (LARGEST + 1),
}
MEMBERS = {
    "audit": (
        *("schema_version", "partition", "sequence", "epoch", "mac", "entry"),
        *("entry.at", "entry.subject", "entry.action", "entry.actor", "entry.delivery"),
        *("entry.route", "entry.generations", "entry.reason", "entry.outcome", "entry.details"),
    ),
    "partitions": (
        *("partition", "epoch", "position", "audit_head", "audit_count", "audit_cut"),
        "audit_cut_head",
    ),
}
EMPTY = {"entry.delivery", "entry.route"}
"""Members that are null in the records of this test."""
JSON: dict[str, bytes] = {
    "another number": b"7777",
    "negative": b"-7",
    "greatest number": b"%d" % (2**63 - 1),
    "greater than any number": b"1" + b"0" * 40,
    "text": b'"\xe2\x80\xae"',
    "another MAC": b'"%s"' % (b"e" * 64),
    "nothing": b"null",
    "list": b"[7]",
    "object": b'{"a":%s}' % (b"9" * 40),
    "deep": b'{"a":%s}' % (b"[" * 150 + b"]" * 150),
    "deeper than any parser goes": b"[" * 5000 + b"]" * 5000,
}

Change = Callable[[sqlite3.Connection], None]


class Damage(NamedTuple):
    """One way to damage one place."""

    name: str
    change: Change


def set_column(table: str, column: str, value: object) -> Change:
    statement = f"UPDATE {table} SET {column} = ? WHERE {WHERE[table]}"  # noqa: S608 - names of this file
    return lambda connection: changed(connection, statement, value)


def set_member(table: str, member: str, inner: bytes) -> Change:
    """Put JSON in the place of a member of the record, byte for byte."""

    def change(connection: sqlite3.Connection) -> None:
        ((stored,),) = connection.execute(f"SELECT record FROM {table} WHERE {WHERE[table]}")  # noqa: S608 - names of this file
        text = with_member(stored, member, inner)
        changed(connection, f"UPDATE {table} SET record = ? WHERE {WHERE[table]}", text)  # noqa: S608 - names of this file

    return change


def with_member(stored: bytes, member: str, inner: bytes) -> bytes:
    """A record with other JSON in the place of a member."""
    record = orjson.loads(stored)
    *path, last = member.split(".")
    place = record[path[0]] if path else record
    place[last] = "@"
    return orjson.dumps(record).replace(b'"@"', inner)


def changed(connection: sqlite3.Connection, statement: str, *values: object) -> None:
    before = connection.total_changes
    connection.execute(statement, values)
    assert connection.total_changes > before


def damages() -> Iterator[Damage]:
    """Each column in each way, each member of each record in each way, and each row gone."""
    for table in COLUMNS:
        yield Damage(f"{table} gone", partial(delete, table=table))
        yield from damaged_columns(table)
        yield from damaged_members(table)


def damaged_columns(table: str) -> Iterator[Damage]:
    for column in COLUMNS[table]:
        row_id = (table, column) == ("partitions", "partition")
        for name, value in VALUES.items():
            if isinstance(value, int) or not row_id:
                yield Damage(f"{table}.{column} {name}", set_column(table, column, value))
        if not row_id:
            yield Damage(f"{table}.{column} no text", no_text(table, column))


def damaged_members(table: str) -> Iterator[Damage]:
    for member in MEMBERS[table]:
        for name, inner in JSON.items():
            if name != "nothing" or member not in EMPTY:
                yield Damage(f"{table} {member} {name}", set_member(table, member, inner))


def delete(connection: sqlite3.Connection, table: str) -> None:
    changed(connection, f"DELETE FROM {table} WHERE {WHERE[table]}")  # noqa: S608 - names of this file


def no_text(table: str, column: str) -> Change:
    """Text whose bytes are none, which a driver refuses to read."""
    statement = f"UPDATE {table} SET {column} = CAST(x'ff' AS TEXT) WHERE {WHERE[table]}"  # noqa: S608 - names of this file
    return lambda connection: changed(connection, statement)


def apply(path: Path, damage: Damage) -> None:
    """Damage the journal by another program, as any user with write access can."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = 0")
    damage.change(connection)
    connection.close()


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a journal whose first partition has some records."""
    folder = tmp_path_factory.mktemp("pattern")

    async def fill() -> None:
        world = AdminWorld(folder)
        await world.open()
        await world.put(*(holder(number) for number in range(10, 10 + RECORDS)))
        assert await findings(world) == []
        await world.journal.close()

    asyncio.run(fill())
    return folder


@asynccontextmanager
async def damaged(pattern: Path, folder: Path, damage: Damage) -> AsyncIterator[AdminWorld]:
    """A copy of the journal, damaged while it is open."""
    shutil.copytree(pattern, folder, dirs_exist_ok=True)
    world = AdminWorld(folder)
    await world.journal.open()
    try:
        await asyncio.to_thread(apply, world.path, damage)
        yield world
    finally:
        await world.journal.close()


async def findings(world: AdminWorld) -> list[str]:
    async with asyncio.timeout(PATIENCE):
        chains = await check_journal(world.journal, world.key, ())
    return [finding.problem for chain in chains for finding in chain.findings]


@pytest.mark.parametrize("damage", list(damages()), ids=lambda damage: damage.name)
async def test_every_damage_is_a_finding(pattern: Path, tmp_path: Path, damage: Damage) -> None:
    """No column and no member can make the check fail, go round in circles, or see nothing."""
    async with damaged(pattern, tmp_path, damage) as world:
        assert await findings(world) != []
        assert world.lost == []


def many(connection: sqlite3.Connection) -> None:
    changed(
        connection,
        """WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)
        INSERT INTO audit SELECT 0, i, x'00' FROM n""",
    )


async def test_a_check_of_a_wholly_wrong_trail_needs_little_memory(
    pattern: Path, tmp_path: Path
) -> None:
    """As many findings as records are counted; only the first are kept."""
    async with damaged(pattern, tmp_path, Damage("many", many)) as world:
        tracemalloc.start()
        chains = await check_journal(world.journal, world.key, ())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert chains[0].found >= 39_000
        assert len(chains[0].findings) == 100
        assert peak < 2_000_000


def damaged_topic(values: list[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """The values of an audit topic with one of them damaged in each way."""
    others: dict[str, bytes] = {"empty": b"", "no JSON": b"\xff", "large": b"0" * (LARGEST + 1)}
    for member in MEMBERS["audit"]:
        for name, inner in JSON.items():
            if name != "nothing" or member not in EMPTY:
                others[f"{member} {name}"] = with_member(values[NUMBER], member, inner)
    for name, other in others.items():
        yield name, [*values[:NUMBER], other, *values[NUMBER + 1 :]]


def test_every_damage_to_an_audit_topic_is_a_finding() -> None:
    """A topic gives no places of its own; the chain shows it all the same, and the check ends."""
    key = Credential("k" * 40)
    entries = [AuditEntry(at=1, subject="corp/user/1", action="a") for _ in range(10)]
    chain = list(link(key, partition=0, epoch=1, head="", count=0, entries=entries))
    values = [record.model_dump_json().encode() for record in chain]
    own = Published(partition=0, count=len(chain), head=chain[-1].mac)
    for name, damaged_values in [("nothing", values), *damaged_topic(values)]:
        check, last = ChainCheck(key, 0, [own]), 0
        for value in damaged_values:
            row = row_behind(last, value)
            last = row.sequence
            check.take(row)
        assert bool(check.report().found) is (name != "nothing"), name
