"""What differs between two settings, and what of it a running service can take up."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from connector.core.model import Record
from connector.settings.effective import leaves, shown_value
from connector.settings.model import Settings
from connector.settings.report import Path, dotted

UPSTREAMS = frozenset({"uems", "cas"})
ROUTES = "routes"
ORDER = "routes (their order)"
PACE = ("rate", "parallel", "budget_reserve", "throttle_wait")
BRAKES = frozenset(
    {
        *((section, member) for section in UPSTREAMS for member in PACE),
        *((ROUTES, member) for member in ("mode", "automatic_per_day", "expired_rounds")),
        ("worker", "disclosure_ceiling"),
        ("handover", "parallel"),
        ("service", "limit"),  # of failed_tries, as the next one
        ("service", "window"),
    }
)
"""What holds work back: by section, the last part of a setting's name."""


class Change(Record):
    """One setting that differs; ``old`` or ``new`` is None where it does not exist.

    ``brake``: it holds work back. ``restart``: a running service does not take it up.
    """

    setting: str
    old: str | None
    new: str | None
    brake: bool
    restart: bool


class Changes(NamedTuple):
    """All settings that differ.

    Routes are taken up only while the UEMs and CAs, which they were checked against, are the same
    (``upstreams`` is false).
    """

    all: tuple[Change, ...]
    upstreams: bool

    @property
    def routes(self) -> tuple[str, ...]:
        """The names of those of routes."""
        return tuple(one.setting for one in self.all if _of_routes(one))

    @property
    def others(self) -> tuple[str, ...]:
        """The names of those that need a restart in any case."""
        return tuple(one.setting for one in self.all if not _of_routes(one))


def changes(old: Settings, new: Settings) -> Changes:
    """Compare two settings that are valid; what may be a secret is masked."""
    before, after = (dict(leaves(one.model_dump(mode="json"), ())) for one in (old, new))
    paths = [path for path in {**before, **after} if _differs(path, before, after)]
    upstreams = any(path[0] in UPSTREAMS for path in paths)
    found = [_change(path, before, after, restart=upstreams) for path in paths]
    found += _order(list(old.routes), list(new.routes), restart=upstreams)
    return Changes(tuple(sorted(found, key=lambda one: one.setting)), upstreams)


def _of_routes(change: Change) -> bool:
    return change.setting.startswith(ROUTES)


def _differs(path: Path, before: dict[Path, Any], after: dict[Path, Any]) -> bool:
    return path not in before or path not in after or before[path] != after[path]


def _change(
    path: Path, before: dict[Path, Any], after: dict[Path, Any], *, restart: bool
) -> Change:
    shown = [shown_value(path, one[path]) if path in one else None for one in (before, after)]
    return Change(
        setting=dotted(path),
        old=shown[0],
        new=shown[1],
        brake=(path[0], path[-1]) in BRAKES,
        restart=restart or path[0] != ROUTES,
    )


def _order(old: list[str], new: list[str], *, restart: bool) -> Iterator[Change]:
    """The first route that fits is used, so their order is a setting."""
    if old != new:
        first, second = ", ".join(old), ", ".join(new)
        yield Change(setting=ORDER, old=first, new=second, brake=False, restart=restart)
