"""What differs between two settings, and what of it a running service can take up."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from connector.settings.model import Settings
from connector.settings.report import Path, dotted

UPSTREAMS = frozenset({"uems", "cas"})
ROUTES = "routes"
ORDER = "routes (their order)"


class Changes(NamedTuple):
    """Names of settings that differ: of routes, and of all others, which need a restart.

    Routes are taken up only while the UEMs and CAs, which they were checked against, are the same.
    """

    routes: tuple[str, ...]
    restart: tuple[str, ...]
    upstreams: bool

    @property
    def any(self) -> bool:
        """Whether anything differs."""
        return bool(self.routes or self.restart)


def changes(old: Settings, new: Settings) -> Changes:
    """Compare two settings that are valid; values themselves are in no name."""
    before, after = (dict(_leaves(one.model_dump(mode="json"), ())) for one in (old, new))
    paths = [path for path in {**before, **after} if _differs(path, before, after)]
    order = [ORDER] if list(old.routes) != list(new.routes) else []
    return Changes(
        routes=(*sorted(dotted(path) for path in paths if path[0] == ROUTES), *order),
        restart=tuple(sorted(dotted(path) for path in paths if path[0] != ROUTES)),
        upstreams=any(path[0] in UPSTREAMS for path in paths),
    )


def _differs(path: Path, before: Mapping[Path, Any], after: Mapping[Path, Any]) -> bool:
    return path not in before or path not in after or before[path] != after[path]


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    else:
        yield path, value
