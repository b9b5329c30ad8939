"""The overview and the process's own views, reduced to what names no person and no device."""

import platform
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TypeVar

import orjson
from pydantic import BaseModel

from connector.operators.verbs.status import Overview
from connector.operators.verbs.support import (
    BareCondition,
    BarePartition,
    BareUpstream,
    ProcessView,
    Support,
)

T = TypeVar("T", bound=BaseModel)

NAMING = frozenset({"device", "client"})
"""Members of log lines that name a device or an address; users are a keyed hash in them."""


async def support(
    overview: Callable[[], Awaitable[Overview]], process: Callable[[], ProcessView]
) -> Support:
    """What goes into a support bundle of a running service."""
    seen, told = await overview(), process()
    return Support(
        now=seen.now,
        version=seen.version,
        python=platform.python_version(),
        pauses=len(seen.pauses),
        conditions=tuple(_bare(BareCondition, one) for one in seen.conditions),
        counts=seen.counts,
        partitions=tuple(_bare(BarePartition, one) for one in seen.partitions),
        upstreams=tuple(_bare(BareUpstream, one) for one in seen.upstreams),
        dead_letters=seen.dead_letters,
        needs_person=seen.needs_person,
        credentials=seen.credentials,
        process=told.model_copy(update={"log": tuple(nameless(told.log))}),
    )


def nameless(lines: Iterable[str]) -> Iterator[str]:
    """Log lines without the members that name a device or an address; others are left out."""
    for line in lines:
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        yield orjson.dumps({k: v for k, v in entry.items() if k not in NAMING}).decode()


def _bare(kind: type[T], one: BaseModel) -> T:
    return kind.model_validate(one.model_dump(include=set(kind.model_fields)))
