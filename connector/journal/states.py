"""The tables of states and of what they want: their columns, and every question asked of them.

All queries are served in order by an index (``tests/journal/test_query_plans.py`` holds them to
it), so that what a question costs does not depend on how many subjects wait.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

from pydantic import TypeAdapter, ValidationError

from connector.core.errors import Permanent
from connector.core.journal import StatusFilter
from connector.core.model import Millis, SubjectKey
from connector.core.rows import Due, OpenAct, UnreadableState
from connector.core.states import DeviceState, HolderState, State
from connector.journal.database import Connection

_STATE: TypeAdapter[State] = TypeAdapter(State)

PUT = """
    INSERT INTO states VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET
        act_epoch = excluded.act_epoch, version = excluded.version, state = excluded.state"""

# A statement of its own, because an UPDATE rewrites the index of every column that it names, and
# most rounds change none of these.
RELIST = """
    UPDATE states SET phase = ?2, route = ?3, code = ?4
    WHERE key = ?1 AND (phase <> ?2 OR route <> ?3 OR code <> ?4)"""

REMOVE = "DELETE FROM states WHERE key = ?"

STOP_WANTING = "DELETE FROM wants WHERE key = ?"

WANTS_OF = "SELECT lane, due FROM wants WHERE key = ? ORDER BY lane"

WANT = "INSERT INTO wants (key, lane, due, partition) VALUES (?, ?, ?, ?)"

LOAD = "SELECT state FROM states WHERE key IN (SELECT value FROM json_each(?))"

# A key says by a digest which partition it belongs to, so that the index has them mixed.
SUBJECTS = """
    SELECT key FROM states WHERE key > ? AND partition = ? ORDER BY key LIMIT ?"""

DUE = """
    SELECT key, due FROM wants
    WHERE partition = ? AND lane = ? AND due <= ? ORDER BY due LIMIT ?"""

# Jumps from lane to lane in the index instead of walking over all that waits in each.
LANES = """
    WITH RECURSIVE found (lane) AS (
        SELECT min(lane) FROM wants WHERE partition = :partition
        UNION ALL
        SELECT (SELECT min(lane) FROM wants WHERE partition = :partition AND lane > found.lane)
        FROM found WHERE found.lane IS NOT NULL
    )
    SELECT lane, (SELECT min(due) FROM wants WHERE partition = :partition AND lane = found.lane)
    FROM found WHERE lane IS NOT NULL"""

OPEN_ACTS = """
    SELECT key, act_epoch, rowid FROM states
    WHERE partition = ? AND act_epoch < ? AND (act_epoch, rowid) > (?, ?)
    ORDER BY act_epoch, rowid LIMIT ?"""

STATUS = """
    SELECT key, kind, act_epoch, phase, route, code, version, state FROM states
    WHERE kind = :kind AND key > :after AND (:phase IS NULL OR phase = :phase)
        AND (:route IS NULL OR route = :route) AND (:code IS NULL OR code = :code)
    ORDER BY key LIMIT :limit"""

COUNTS = "SELECT kind, route, phase, count(*) FROM states GROUP BY kind, route, phase"

CODES = """
    SELECT kind, phase, code, count(*) FROM states WHERE code <> '' GROUP BY kind, phase, code"""


WantColumns = tuple[SubjectKey, str, Millis, int]
"""Key, lane, due, partition."""


class StateColumns(NamedTuple):
    """One row of the table of states, in its order."""

    key: SubjectKey
    kind: str
    tenant: str
    partition: int
    act_epoch: int | None
    phase: str
    route: str
    code: str
    version: int
    state: bytes


def columns(state: State | UnreadableState, partition: int) -> StateColumns:
    """A state as it is stored: its JSON, and the parts of it that are asked for."""
    if isinstance(state, UnreadableState):
        tenant, kept = tenant_of(state.key), (state.phase, state.route, state.code, state.version)
        return StateColumns(
            state.key, state.kind, tenant, partition, state.act_epoch, *kept, state.state
        )
    phase, route, code = _listed(state)
    running = state.running if isinstance(state, HolderState) else None
    return StateColumns(
        key=state.key,
        kind=state.kind,
        tenant=tenant_of(state.key),
        partition=partition,
        act_epoch=running.epoch if running else None,
        phase=phase,
        route=route,
        code=code,
        version=state.version,
        state=state.model_dump_json(by_alias=True).encode(),
    )


def tenant_of(key: SubjectKey) -> str:
    """The tenant of a subject, without taking the rest of its key apart."""
    return unquote(key.partition("/")[0])


def wants(state: State | UnreadableState, partition: int) -> list[WantColumns]:
    """What a state wants: one row per lane, with the earliest time, for a lane is served whole."""
    if isinstance(state, UnreadableState):
        return [(state.key, lane, at, partition) for lane, at in state.wants]
    earliest: dict[str, Millis] = {}
    for want in state.wants:
        earliest[want.lane] = min(want.due, earliest.get(want.lane, want.due))
    return [(state.key, lane, at, partition) for lane, at in earliest.items()]


def put(
    connection: Connection, rows: Sequence[StateColumns], wanted: Sequence[WantColumns]
) -> None:
    """Write states, new or known, with all they want, inside the caller's transaction."""
    connection.executemany(PUT, rows)
    connection.executemany(RELIST, [(row.key, row.phase, row.route, row.code) for row in rows])
    connection.executemany(STOP_WANTING, [(row.key,) for row in rows])
    connection.executemany(WANT, wanted)


def remove(connection: Connection, keys: Sequence[SubjectKey]) -> None:
    """Take subjects out, inside the caller's transaction."""
    connection.executemany(REMOVE, [(key,) for key in keys])
    connection.executemany(STOP_WANTING, [(key,) for key in keys])


def load(connection: Connection, keys: Sequence[SubjectKey]) -> dict[SubjectKey, State]:
    """The states of these subjects; unknown ones are missing."""
    rows = connection.execute(LOAD, (json.dumps(list(keys)),))
    return {state.key: state for state in map(_read, rows)}


def subjects(
    connection: Connection, partition: int, after: SubjectKey, limit: int
) -> list[SubjectKey]:
    """The subjects of a partition behind a key, by key."""
    return [key for (key,) in connection.execute(SUBJECTS, (after, partition, limit))]


def due(connection: Connection, partition: int, lane: str, now: Millis, limit: int) -> list[Due]:
    """Subjects of a lane whose time has come, earliest first."""
    rows = connection.execute(DUE, (partition, lane, now, limit))
    return [Due(key=key, due=at) for key, at in rows]


def lanes(connection: Connection, partition: int) -> list[tuple[str, Millis]]:
    """All lanes in use with the earliest due time of each."""
    return connection.execute(LANES, {"partition": partition}).fetchall()


def open_acts(
    connection: Connection, partition: int, epoch: int, limit: int, after: tuple[int, int]
) -> list[OpenAct]:
    """Subjects with a running act of an epoch before ``epoch``, oldest epoch first."""
    rows = connection.execute(OPEN_ACTS, (partition, epoch, *after, limit))
    return [OpenAct(key, (act_epoch, row)) for key, act_epoch, row in rows]


def status(connection: Connection, query: StatusFilter) -> list[State | UnreadableState]:
    """The states a listing asks for, by key; those that cannot be read as they are stored."""
    rows = connection.execute(STATUS, query.model_dump()).fetchall()
    return [_readable_or_not(connection, row) for row in rows]


def _readable_or_not(connection: Connection, row: tuple[Any, ...]) -> State | UnreadableState:
    key, kind, act_epoch, phase, route, code, version, state = row
    try:
        return _read((state,))
    except Permanent:
        wanted = tuple(connection.execute(WANTS_OF, (key,)).fetchall())
    if isinstance(state, str):  # written by another hand
        state = state.encode()
    return UnreadableState(
        key=key,
        kind=kind,
        phase=phase,
        route=route,
        code=code,
        version=version,
        act_epoch=act_epoch,
        state=state,
        wants=wanted,
    )


def counts(connection: Connection) -> dict[tuple[str, str, str], int]:
    """How many subjects there are by (kind, route, phase); reads one whole index."""
    rows = connection.execute(COUNTS)
    return {(kind, route, phase): number for kind, route, phase, number in rows}


def codes(connection: Connection) -> dict[tuple[str, str, str], int]:
    """How many subjects have something in the way, by (kind, phase, code); reads the same index."""
    return {(kind, phase, code): n for kind, phase, code, n in connection.execute(CODES)}


def _read(row: tuple[bytes]) -> State:
    """Raises ``EVT-005``: a subject whose state cannot be read must not start from scratch."""
    try:
        return _STATE.validate_json(row[0])
    except ValidationError as error:
        raise Permanent("EVT-005", "reading state: it is not of a known version") from error


def _listed(state: State) -> tuple[str, str, str]:
    """Phase, route and code of what is in the way, empty where there is nothing."""
    if isinstance(state, HolderState):
        delivery = state.delivery
        phase = delivery.phase.value if delivery else ""
        return phase, state.route or "", state.cause or ""
    if isinstance(state, DeviceState):
        return state.status.value, "", state.trouble.code if state.trouble else ""
    return "", "", ""
