"""Each block with tiny numbers: the sides start, obey, and give a figure of every id."""

import json
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from bench.block import Block, Measure, Time, VoidFigure, run
from bench.blocks import BLOCKS, backlog, crypto, intake, lag, memory, restart, scaling, storm
from bench.blocks import unsynced as pipelines
from bench.figures import FIGURES, table, write

TINY = 20


def ids(found: AbstractContextManager[Measure]) -> set[str]:
    with found as measure:
        return set(measure() or {})


def test_every_figure_belongs_to_one_block() -> None:
    """Nothing that is reported is measured twice or never."""
    named = [name for block in BLOCKS for name in block.ids]
    assert sorted(named) == sorted(FIGURES)


def test_a_figure_is_the_median_of_its_rounds(tmp_path: Path) -> None:
    """The results carry exactly the promised members, and a missed floor is told."""
    missed = FIGURES["intake-vs-null"].measured([0.1, 0.9, 0.2])
    assert missed.missed
    assert not FIGURES["intake-p99-vs-null"].measured([0.1, 0.9, 0.2]).missed
    write([missed], tmp_path / "out" / "results.json")
    (row,) = json.loads((tmp_path / "out" / "results.json").read_text())
    assert row == {
        "id": "intake-vs-null",
        "value": 0.2,
        "unit": "ratio",
        "floor": 0.45,
        "aim": 0.6,
        "better": "higher",
        "rounds": 3,
    }
    assert "MISSED" in table([missed])


class Opened:
    """A block's sides that are none; leaving says that they were not right."""

    def __enter__(self) -> Measure:
        return lambda: {"memory-backlog": 1.0}

    def __exit__(self, *_: object) -> None:
        raise VoidFigure("rows are missing")


def test_a_void_block_is_tried_three_times_and_then_reported(tmp_path: Path) -> None:
    """What failed its own check has no value, however often it was tried."""
    block = Block(("memory-backlog",), lambda _: Opened(), rulers=(), rounds=1)
    tries = run(block, tmp_path, Time(float("inf"), float("inf")))
    assert [one.void for one in tries] == ["rows are missing"] * 3
    assert FIGURES["memory-backlog"].measured(()).verdict == "void"


@pytest.mark.slow
def test_intake_counts_rows_against_answers(tmp_path: Path) -> None:
    """A short round leaves as many rows as there were 2xx, or the block would be void."""
    with intake.opened(tmp_path, seconds=0.3) as measure:
        assert set(measure() or intake.BLOCK.ids) == set(intake.BLOCK.ids)


@pytest.mark.slow
def test_the_pipeline_is_measured_with_and_without_syncing(tmp_path: Path) -> None:
    """Both sides deliver to all of their users."""
    assert ids(pipelines.opened(tmp_path, holders=TINY)) == {"pipeline-vs-unsynced"}


@pytest.mark.slow
def test_the_pipeline_is_measured_with_a_backlog(tmp_path: Path) -> None:
    """Copies of real states wait in one of the journals."""
    found = backlog.opened(tmp_path, waiting=500, holders=TINY)
    assert ids(found) == {"pipeline-backlog"}


@pytest.mark.slow
def test_hand_overs_are_measured(tmp_path: Path) -> None:
    """Each hand-over between the simulators is accepted, or the side would end.

    A round of the scaling that other programs disturbed is void, and gives no figure.
    """
    for block, name in ((crypto, "crypto"), (scaling, "scaling"), (lag, "lag")):
        (tmp_path / name).mkdir()
        found = ids(block.opened(tmp_path / name, times=2))
        assert found == set(block.BLOCK.ids) or (block is scaling and not found)


@pytest.mark.slow
def test_memory_is_measured(tmp_path: Path) -> None:
    """A pair of processes has worked and tells its size."""
    found = memory.opened(tmp_path, waiting=500, holders=TINY)
    assert ids(found) == {"memory-backlog"}


@pytest.mark.slow
def test_a_restart_is_measured(tmp_path: Path) -> None:
    """The real service reaches its first effect with open acts in its journal."""
    assert ids(restart.opened(tmp_path, in_flight=500)) == {"restart-backlog"}


@pytest.mark.slow
def test_a_storm_is_measured(tmp_path: Path) -> None:
    """Healthy holders are delivered to while others fail on and on."""
    assert ids(storm.opened(tmp_path, holders=TINY)) == {"retry-storm"}
