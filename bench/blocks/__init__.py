"""The blocks, one file each. ``BLOCKS`` is the order in which they run."""

from bench.block import Block
from bench.blocks import backlog, crypto, intake, lag, memory, restart, scaling, storm, unsynced

BLOCKS: tuple[Block, ...] = (
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
"""Every id of :data:`bench.figures.FIGURES` belongs to one of them."""
