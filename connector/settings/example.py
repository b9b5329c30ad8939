"""A commented example of the settings' file, made from the settings themselves.

What must be given stands there without a value, which means *not given*: so ``config check`` on an
unchanged example asks for exactly these, with what to consider. Everything else is commented out
and shows its default; deleting the ``#`` sets it.
"""

from collections.abc import Iterator
from textwrap import wrap

from connector.settings.introspection import Group, Member, groups
from connector.settings.model import settings_model
from connector.settings.plugins import Plugins
from connector.settings.report import Path

HEAD = """\
# Settings of the PKI Connector. Values without a default are left empty: set them, then run
# `pki-connector config check`. A line that begins with # and a name shows a default.
# Every value can also be set by an environment variable: service.log_level is
# PKI_CONNECTOR_SERVICE__LOG_LEVEL. Secrets are given as paths of mounted files only.
# Durations carry their unit: 30s, 48h, 14d. Relative paths start at the directory of this file.
"""
ROUTE = "staff"
WANTED = frozenset({"tls", "webhook"})
"""Sections that the model could do without, and a real service can not."""
UNSHOWN = frozenset({"testing"})
WIDTH = 96


def example(plugins: Plugins, journal: str = "sqlite") -> str:
    """The file's text, with an upstream of each installed plug-in and that kind of journal."""
    uem, ca = (_name(min(kinds, default="")) for kinds in (plugins.targets, plugins.escrow))
    page = _Page({("routes", "NAME", "uem"): uem, ("routes", "NAME", "ca"): ca})
    for group in groups(settings_model(plugins)):
        other = group.path[:1] == ("journal",) and group.tag != journal
        if group.path and group.path[0] not in UNSHOWN and not other:
            page.group(group)
    return HEAD + "\n".join(page.lines) + "\n"


class _Page:
    def __init__(self, given: dict[Path, str]) -> None:
        self.lines: list[str] = []
        self._given = given
        self._off: Path | None = None
        self._sections: set[str | int] = set()

    def group(self, group: Group) -> None:
        place = group.place
        if self._off is None or place[: len(self._off)] != self._off:
            optional = not group.required and place[-1] not in WANTED and len(place) > 1
            self._off = place if optional else None
        if place[0] not in self._sections:
            self.lines.append("")
        for text, depth in _headings(group, self._sections):
            self._explain(group.text if depth == len(place) - 1 else "", depth)
            self._setting(text, depth)
        self._sections.add(place[0])
        for index, member in enumerate(group.members):
            self._member(group, member, first=index == 0)

    def _member(self, group: Group, member: Member, *, first: bool) -> None:
        depth = len(group.place)
        consider = f" Consider: {member.consider}" if member.consider else ""
        self._explain(f"{member.text}{consider}", depth)
        name = str(member.path[-1])
        value = self._given.get(member.path) or _value(member, group)
        line = f"{name}: {value}".rstrip()
        if group.place[-1] == "N" and first:
            self._setting(f"- {line}", depth - 1)
        else:
            self._setting(line, depth, off=not member.required)

    def _setting(self, text: str, depth: int, *, off: bool = False) -> None:
        if self._off is not None:
            start = len(self._off) - 1
            self.lines.append(f"{'  ' * start}#{'  ' * (depth - start)}{text}")
        else:
            self.lines.append(f"{'  ' * depth}{'#' if off else ''}{text}")

    def _explain(self, text: str, depth: int) -> None:
        indent = "  " * depth + "# "
        self.lines += wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)


def _headings(group: Group, known: set[str | int]) -> Iterator[tuple[str, int]]:
    """The lines that open a group, each with its depth."""
    place = group.place
    last = len(place) - 1
    if place[-1] == "N":
        yield f"{place[-2]}:", last - 1
    elif place[-1] != "NAME":
        yield f"{place[-1]}:", last
    else:
        if place[0] not in known:
            yield f"{place[0]}:", last - 1
        yield f"{_name(group.tag) or ROUTE}:", last


def _name(plugin: str) -> str:
    return plugin.replace("_", "-")


def _value(member: Member, group: Group) -> str:
    """The default as YAML; of a plug-in's ``type`` its name, of what must be decided nothing."""
    if member.required:
        return group.tag if member.path[-1] == "type" else ""
    if member.default == "empty":
        return "{}" if member.kind.startswith("mapping") else "[]"
    return "" if member.default == "none" else str(member.default)
