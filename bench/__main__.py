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

from bench.block import Block, Time, Tried, run
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
    details: dict[str, list[Tried]] = {}
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="run-", dir=OUT) as folder:
        for group in GROUPS:
            for block, tries in _tried(group, wanted, Path(folder)):
                details[block.ids[0]] = tries
                figures |= _figures(block, tries[-1], wanted)
    _report(figures, details)
    print(f"{time.monotonic() - begin:.0f} s")
    return int(any(figure.missed for figure in figures.values()))


def _tried(group: Group, wanted: set[str], folder: Path) -> Iterator[tuple[Block, list[Tried]]]:
    """Measure what is wanted of a group, within its time."""
    begin = time.monotonic()
    time_left = Time(begin + group.again, begin + group.end)
    for block in group.blocks:
        if wanted & set(block.ids):
            yield block, run(block, folder / block.ids[0], time_left)


def _figures(block: Block, tried: Tried, wanted: set[str]) -> dict[str, Figure]:
    said = f"void: {tried.void}" if tried.void else "measured"
    print(f"{', '.join(block.ids)}: {said}", flush=True)
    values = {} if tried.void else tried.values
    return {
        name: FIGURES[name].measured(values.get(name, ())) for name in block.ids if name in wanted
    }


def _report(figures: dict[str, Figure], details: dict[str, list[Tried]]) -> None:
    ordered = [figures[name] for name in FIGURES if name in figures]
    print(table(ordered))
    write(ordered, OUT / "results.json")
    told = {name: [asdict(one) for one in tries] for name, tries in details.items()}
    (OUT / "details.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
