"""The blocks, one file each, in the order in which they run, and the time they have together."""

from typing import NamedTuple

from bench.block import Block
from bench.blocks import (
    backlog,
    crypto,
    intake,
    kafka_intake,
    kafka_memory,
    kafka_pipeline,
    kafka_restore,
    kafka_takeover,
    lag,
    memory,
    restart,
    scaling,
    storm,
    unsynced,
)


class Group(NamedTuple):
    """Blocks that share ten minutes.

    No block takes more than its rounds after ``again`` seconds, and none begins after ``end``.
    """

    blocks: tuple[Block, ...]
    again: float = 400.0
    end: float = 540.0


EMBEDDED = Group(
    (
        intake.BLOCK,
        unsynced.BLOCK,
        backlog.BLOCK,
        crypto.BLOCK,
        scaling.BLOCK,
        lag.BLOCK,
        memory.BLOCK,
        restart.BLOCK,
        storm.BLOCK,
    )
)
KAFKA = Group(
    (
        kafka_intake.BLOCK,
        kafka_pipeline.BLOCK,
        kafka_restore.BLOCK,
        kafka_memory.BLOCK,
        kafka_takeover.BLOCK,
    )
)
GROUPS = (EMBEDDED, KAFKA)
BLOCKS: tuple[Block, ...] = tuple(block for group in GROUPS for block in group.blocks)
"""Every id of :data:`bench.figures.FIGURES` belongs to one of them."""
