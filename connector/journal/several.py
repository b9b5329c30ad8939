"""Several rows in one statement.

Every step of a statement lets go of the interpreter and waits to have it back, which while the
event loop works can take as long as the work of many rows. The fewer steps, the less the thread
that writes and the event loop get into each other's way.
"""

import json
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any

from connector.journal.database import Connection

TOGETHER = 8


def insert(connection: Connection, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run an INSERT whose text has the places of one row, ``VALUES (?, …)``, for all rows."""
    for first in range(0, len(rows), TOGETHER):
        some = rows[first : first + TOGETHER]
        connection.execute(_widened(statement, len(some)), list(chain.from_iterable(some)))


def for_each(connection: Connection, statement: str, values: Sequence[Any]) -> None:
    """Run a statement that takes its values from ``json_each(?)``, once for all of them."""
    if values:
        connection.execute(statement, (json.dumps(values),))


@cache
def _widened(statement: str, rows: int) -> str:
    head, word, rest = statement.partition("VALUES ")
    places, end, tail = rest.partition(")")
    return head + word + ", ".join([places + end] * rows) + tail
