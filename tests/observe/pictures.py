"""Pictures of what the panels of the dashboard show, for a person to look at."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Course = Mapping[str, Sequence[tuple[float, float]]]
"""Points (time in seconds, value) by the name in the legend."""
MOST = 12
"""More series than this have no legend, which would hide them."""


def draw(
    figure: Callable[..., Any], panels: Mapping[str, Course], start: float, folder: Path
) -> None:
    """Write a PNG for each panel, numbered in their order.

    Args:
        figure: the class of matplotlib, which is not needed for anything else here.
        panels: what each shows, by title.
        start: from when the seconds are counted.
        folder: where; earlier pictures in it are removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    for number, (title, course) in enumerate(panels.items(), 1):
        drawn = figure(figsize=(8, 4), layout="constrained")
        axes = drawn.subplots()
        axes.set_title(title)
        axes.set_xlabel("seconds")
        axes.grid(alpha=0.3)
        for name, points in course.items():
            times = [at - start for at, _ in points]
            axes.step(times, [value for _, value in points], where="post", label=name)
        axes.set_ylim(bottom=0)
        if len(course) <= MOST:
            axes.legend(fontsize="small")
        drawn.savefig(folder / f"{number:02} {title.replace('/', '-')}.png")
