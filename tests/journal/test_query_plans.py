"""What a question costs must not grow with what waits: each is answered by an index, in order."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.core.journal import StatusFilter
from connector.core.rows import FIRST_PLACE
from connector.core.states import HolderState
from connector.journal import events, partitions, states, tables
from connector.journal.connection import open_writing
from connector.journal.events import EventLog, EventRow
from connector_testkit.conformance.journal_samples import acting, some_subjects, want
from tests.journal.sqlite_world import PARTITIONS, SqliteWorld

FEW, MANY = 3, 500

STATUS = StatusFilter(phase="failed").model_dump()
QUERIES: dict[str, tuple[str, Any]] = {
    "due": (states.DUE, (0, "x", 9, 9)),
    "lanes": (states.LANES, {"partition": 0}),
    "open acts": (states.OPEN_ACTS, (0, 9, *FIRST_PLACE, 9)),
    "load": (states.LOAD, ('["k"]',)),
    "status": (states.STATUS, STATUS),
    "subjects": (states.SUBJECTS, ("k", 0, 9)),
    "unread": (events.UNREAD, ()),
    "read": (events.READ, (0, 0, 9)),
    "commands": (events.COMMANDS, (0, 0, 9)),
    "empty": (events.EMPTY, (0, 9, 9, 9)),
    "forget": (events.FORGET, (9, 9)),
    "audit": (partitions.AUDIT, (9, 0, 0, 9)),
    "relist": (states.RELIST, ("k", "p", "r", "c")),
    "remove": (states.REMOVE, ("k",)),
    "stop wanting": (states.STOP_WANTING, ("k",)),
}
# Partitions are as few as before, with any number waiting in them.
WALKS_OVER_ITS_OWN_ROWS = {
    "partitions",
    "found",
    "json_each",
    "(subquery-1)",
    "(subquery-2)",
    "list",
}


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_writing(tmp_path / "journal.db")
    tables.prepare(connection, PARTITIONS)
    yield connection
    connection.close()


def plan(connection: sqlite3.Connection, name: str) -> list[str]:
    sql, values = QUERIES[name]
    rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
    return [str(row[3]) for row in rows]


@pytest.mark.parametrize("name", QUERIES)
def test_no_query_walks_or_sorts_a_table(connection: sqlite3.Connection, name: str) -> None:
    """A sort of the backlog at every round made a journal seventeen times slower."""
    steps = plan(connection, name)
    assert [step for step in steps if "TEMP B-TREE" in step] == []
    scanned = {step.split()[1] for step in steps if step.startswith("SCAN")}
    assert scanned <= WALKS_OVER_ITS_OWN_ROWS
    assert any(step.startswith("SEARCH") for step in steps)


def test_counting_reads_one_index_only(connection: sqlite3.Connection) -> None:
    """It walks over all subjects, but not over their states."""
    for query in (states.COUNTS, states.CODES):
        steps = connection.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()
        assert "USING COVERING INDEX states_listed" in steps[0][3]


def fill(connection: sqlite3.Connection, first: int, last: int) -> None:
    """Holders that wait, each with an open act and an event."""
    keys = some_subjects(SqliteWorld(Path("unused")).journal, last)[first:]
    waiting = [
        acting(key, 1).model_copy(update={"wants": (want("x", place), want("wait", 10**9))})
        for place, key in enumerate(keys)
    ]
    put(connection, waiting)
    rows: list[EventRow] = [(0, key, 1, b"{}", None) for key in keys]
    EventLog(connection).insert(connection, rows)


def put(connection: sqlite3.Connection, holders: list[HolderState]) -> None:
    wanted = [row for state in holders for row in states.wants(state, 0)]
    states.put(connection, [states.columns(state, 0) for state in holders], wanted)


def instructions(connection: sqlite3.Connection, question: Callable[[], object]) -> int:
    """How many steps SQLite's virtual machine takes."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    connection.set_progress_handler(count, 1)
    question()
    connection.set_progress_handler(None, 1)
    return steps


@pytest.mark.parametrize(
    "question",
    [
        lambda c: states.due(c, 0, "x", 10**6, FEW),
        lambda c: states.lanes(c, 0),
        lambda c: states.open_acts(c, 0, 2, FEW, FIRST_PLACE),
        lambda c: events.read(c, 0, 0, FEW),
        EventLog,
        lambda c: tables.prepare(c, PARTITIONS),
    ],
    ids=["due", "lanes", "open acts", "read", "find the last position", "prepare"],
)
def test_the_backlog_costs_nothing(
    connection: sqlite3.Connection, question: Callable[[sqlite3.Connection], object]
) -> None:
    """The same steps with five hundred waiting as with three; so starts do not scan either."""
    fill(connection, 0, FEW)
    few = instructions(connection, lambda: question(connection))
    fill(connection, FEW, MANY)
    many = instructions(connection, lambda: question(connection))
    assert 0 < many <= few * 1.1
