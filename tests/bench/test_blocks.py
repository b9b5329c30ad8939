"""Each block with tiny numbers: the sides start, obey, and give a figure of every id."""

import json
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from bench.block import Block, Measure, Measured, Round, Time, VoidFigure, run
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
    """The results carry exactly the promised members; a missed floor is reported."""
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


EVER = Time(float("inf"), float("inf"))


def test_a_block_that_fails_its_own_check_is_void(tmp_path: Path) -> None:
    """Nothing that it measured counts."""
    block = Block(("memory-backlog",), lambda _: Opened(), rulers=(), rounds=1)
    measured = run(block, tmp_path / "block", EVER)
    assert (measured.void, measured.values("memory-backlog")) == ("rows are missing", [])
    assert FIGURES["memory-backlog"].measured(()).verdict == "void"


def test_only_rounds_at_one_pace_count() -> None:
    """The most among whose readings no ruler stretched by more than 15 %, wherever they lie."""
    paces = [(1.0, 5.0), (1.2, 5.0), (1.25, 5.1), (1.3, 9.0), (1.36, 5.2), (1.5, 5.0)]
    rounds = [
        Round({"x": float(number)}, {"python": python, "disk": disk})
        for number, (python, disk) in enumerate(paces)
    ]
    assert Measured(rounds).values("x") == [1.0, 2.0, 4.0]
    assert Measured().values("x") == []


def test_rounds_are_added_until_enough_count(tmp_path: Path) -> None:
    """Void ones are replaced, three times as many as are needed at most."""
    answers: list[dict[str, float] | None] = [None, {"x": 1.0}, None, {"x": 3.0}]
    block = Block(("x",), lambda _: nullcontext(lambda: answers.pop(0)), rulers=(), rounds=2)
    measured = run(block, tmp_path / "good", EVER)
    assert (measured.values("x"), measured.taken) == ([1.0, 3.0], 4)
    answers[:] = [None] * 9
    assert run(block, tmp_path / "bad", EVER).void == "of 6 rounds 0 were at one pace"
    answers[:] = [None] * 9
    assert run(block, tmp_path / "late", Time(0.0, float("inf"))).taken == 2


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
