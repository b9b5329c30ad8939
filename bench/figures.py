"""What is measured, against what, and what came out."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Literal

DIGITS = 4


@dataclass(frozen=True)
class Figure:
    """One figure of the report. ``value`` None: not measured, or void.

    ``floor`` is what must be reached (None: for information), ``aim`` what we want; ``rounds``
    says of how many rounds the value is the median.
    """

    id: str
    floor: float | None
    aim: float
    better: Literal["higher", "lower"] = "higher"
    unit: str = "ratio"
    value: float | None = None
    rounds: int = 0

    def measured(self, values: Sequence[float]) -> "Figure":
        """The figure with the median of its rounds."""
        if not values:
            return self
        return replace(self, value=round(median(values), DIGITS), rounds=len(values))

    @property
    def missed(self) -> bool:
        """Whether a floor exists and was measured and not reached."""
        if self.value is None or self.floor is None:
            return False
        return not self._reaches(self.floor)

    @property
    def verdict(self) -> str:
        """One word for people."""
        if self.value is None:
            return "void"
        if self.missed:
            return "MISSED"
        return "aim" if self._reaches(self.aim) else "floor" if self.floor is not None else "info"

    def _reaches(self, bound: float) -> bool:
        value = self.value or 0.0
        return value >= bound if self.better == "higher" else value <= bound


FIGURES: dict[str, Figure] = {
    figure.id: figure
    for figure in (
        Figure("intake-vs-null", 0.45, 0.60),
        Figure("intake-p99-vs-null", 3.0, 1.5, "lower"),
        Figure("intake-vs-single-commit", None, 4.0),
        Figure("pipeline-vs-unsynced", 0.5, 0.8),
        Figure("pipeline-backlog", 0.8, 0.95),
        Figure("handover-vs-crypto", 0.7, 0.85),
        Figure("handover-scaling", 0.8, 0.95),
        Figure("loop-lag-vs-key-load", 0.8, 0.3, "lower"),
        Figure("memory-backlog", 1.3, 1.1, "lower"),
        Figure("restart-backlog", 1.5, 1.1, "lower"),
        Figure("retry-storm", 0.8, 0.95),
        Figure("kafka-intake-vs-producer", 0.35, 0.6),
        Figure("kafka-pipeline-vs-transactions", 0.5, 0.8),
        Figure("kafka-restore-vs-consumer", 0.5, 0.8),
        Figure("kafka-memory-backlog", 1.4, 1.15, "lower"),
        Figure("kafka-takeover-vs-session", 1.5, 1.15, "lower"),
    )
}
"""Every id that there is, in the order of the report."""


def write(figures: Iterable[Figure], path: Path) -> None:
    """The results as a JSON array."""
    path.parent.mkdir(parents=True, exist_ok=True)
    members = ("id", "value", "unit", "floor", "aim", "better", "rounds")
    rows = [{name: asdict(figure)[name] for name in members} for figure in figures]
    path.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def table(figures: Iterable[Figure]) -> str:
    """The results for people."""
    lines = [f"{'id':30} {'value':>8} {'floor':>9} {'aim':>7} {'rounds':>6}  verdict"]
    for one in figures:
        sign = ">=" if one.better == "higher" else "<="
        value = "-" if one.value is None else f"{one.value:.3f}"
        floor = "-" if one.floor is None else f"{sign} {one.floor:g}"
        aim = f"{sign} {one.aim:g}"
        lines.append(f"{one.id:30} {value:>8} {floor:>9} {aim:>7} {one.rounds:>6}  {one.verdict}")
    return "\n".join(lines)
