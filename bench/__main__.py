"""``python -m bench [ID…]``: measure, print a table, write ``bench/out/results.json``.

Exit code 1 when a floor is missed, 2 when an id is not known.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from bench.block import Block, Measured, Time, run
from bench.blocks import GROUPS, Group
from bench.figures import FIGURES, Figure, table, write

OUT = Path(__file__).parent / "out"


def main(ids: Sequence[str]) -> int:
    """Measure the blocks of these ids, or all; the exit code."""
    if unknown := set(ids) - set(FIGURES):
        print(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(FIGURES)}")
        return 2
    begin = time.monotonic()
    wanted = set(ids or FIGURES)
    figures: dict[str, Figure] = {}
    details: dict[str, Measured] = {}
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="run-", dir=OUT) as folder:
        for group in GROUPS:
            for block, measured in _measured(group, wanted, Path(folder)):
                details[block.ids[0]] = measured
                figures |= _figures(block, measured, wanted)
    _report(figures, details)
    print(f"{time.monotonic() - begin:.0f} s")
    return int(any(figure.missed for figure in figures.values()))


def _measured(group: Group, wanted: set[str], folder: Path) -> Iterator[tuple[Block, Measured]]:
    """Measure what is wanted of a group, within its time."""
    begin = time.monotonic()
    time_left = Time(begin + group.again, begin + group.end)
    for block in group.blocks:
        if wanted & set(block.ids):
            yield block, run(block, folder / block.ids[0], time_left)


def _figures(block: Block, measured: Measured, wanted: set[str]) -> dict[str, Figure]:
    said = f"void: {measured.void}" if measured.void else f"measured in {measured.taken} rounds"
    print(f"{', '.join(block.ids)}: {said}", flush=True)
    ids = [name for name in block.ids if name in wanted]
    return {name: FIGURES[name].measured(measured.values(name)) for name in ids}


def _report(figures: dict[str, Figure], details: dict[str, Measured]) -> None:
    ordered = [figures[name] for name in FIGURES if name in figures]
    print(table(ordered))
    write(ordered, OUT / "results.json")
    told = {name: asdict(measured) for name, measured in details.items()}
    (OUT / "details.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
