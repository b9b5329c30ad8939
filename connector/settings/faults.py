"""Turning what pydantic found into problems with a place, in the words of operators."""

import re
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from connector.core.values import render_duration
from connector.settings.document import Tree
from connector.settings.introspection import field_at, siblings, types_in
from connector.settings.report import Path, Problem, dotted
from connector.settings.secrecy import looks_secret

LONGEST_TEXT = 400
FIXED = {
    "CFG-005": ("CFG-005", "approvals are not available yet", "Leave it out until they are."),
    "none_required": ("CFG-001", "is not available for its type", "Leave it out."),
}
"""Code, what is wrong, what to do, by the kind of error."""
PYTHON_DURATION = re.compile(r"datetime\.timedelta\([^)]*\)")
NO_SETTING = "is not a setting"
NOT_WRITTEN = "a secret must not be written into the settings"
JOURNAL = ("CFG-001", "its type is not a kind of journal", "Set type to sqlite or kafka.")


def place_of(tree: Tree, path: Path) -> str:
    """Where a setting was given; for one that is missing, where its nearest section begins."""
    for length in range(len(path), -1, -1):
        if place := tree.places.get(path[:length]):
            return place
    return "not given"


def problems_of(error: ValidationError, tree: Tree, model: type[BaseModel]) -> list[Problem]:
    """One problem for each faulty setting. No value is looked at: it may be a secret."""
    found: dict[Path, Problem] = {}
    faults = error.errors(include_input=False, include_context=False, include_url=False)
    for fault in faults:
        if fault["type"] == "too_short" and _inner(fault["loc"], faults):
            continue
        path = _real(fault["loc"], tree.values, missing=fault["type"] == "missing")
        if fault["type"] == "union_tag_invalid":
            path = (*path, "type")
        code, wrong, action = _words(fault["type"], fault["msg"], path, tree, model)
        problem = Problem(
            setting=dotted(path),
            place=place_of(tree, path),
            code=code,
            wrong=wrong[:LONGEST_TEXT],
            action=action,
        )
        found.setdefault(path, problem)
    return list(found.values())


def _inner(location: Path, faults: list[ErrorDetails]) -> bool:
    """Whether items are faulty themselves: the library does not count those."""
    return any(
        other["loc"][: len(location)] == location and other["loc"] != location for other in faults
    )


def _real(location: Path, values: Any, *, missing: bool) -> Path:
    """The location without what the library adds to it (names of union members, ``[key]``)."""
    path: Path = ()
    for part in location[:-1] if missing else location:
        inside = isinstance(values, list) and isinstance(part, int) and part < len(values)
        if inside or (isinstance(values, dict) and part in values):
            path, values = (*path, part), values[part]
    return (*path, location[-1]) if missing else path


def _words(
    kind: str, message: str, path: Path, tree: Tree, model: type[BaseModel]
) -> tuple[str, str, str]:
    """Code, what is wrong, what to do."""
    if kind.startswith("union_tag_"):
        return _no_type(kind, path, tree, model)
    if fixed := FIXED.get(kind):
        return fixed
    if kind == "extra_forbidden":
        return _unknown(path, tree, model)
    field = field_at(model, path, tree.values)
    text = " ".join((field.description or "").split()) if field else ""
    extra = field.json_schema_extra if field and isinstance(field.json_schema_extra, dict) else {}
    if kind != "missing":
        return "CFG-001", _readable(message), f"Correct it: {text or 'see config schema'}"
    if consider := extra.get("x-consider"):
        return "CFG-001", "is not decided and has no default", f"{text} Consider: {consider}"
    return "CFG-001", "is not set", f"Set it: {text or 'it is required'}"


def _no_type(kind: str, path: Path, tree: Tree, model: type[BaseModel]) -> tuple[str, str, str]:
    if path[0] == "journal":
        return JOURNAL
    types = types_in(model, path[0])
    action = f"Install the plug-in, or set type to an installed one: {', '.join(types) or 'none'}."
    if kind == "union_tag_not_found":
        return "CFG-001", "has no type", action
    near = _near(_given(path, tree.values), types)
    hint = f"Did you mean {near}? " if near else ""
    return "CFG-004", "its type names no installed plug-in", hint + action


def _unknown(path: Path, tree: Tree, model: type[BaseModel]) -> tuple[str, str, str]:
    name = str(path[-1]) if path else ""
    if looks_secret(name):
        return (
            "CFG-002",
            NOT_WRITTEN,
            f"Mount it as a file and give its path as {name}_file.",
        )
    near = _near(name, siblings(model, path, tree.values))
    hint = f"Did you mean {near}?" if near else "Remove it, or compare with config schema."
    return "CFG-001", NO_SETTING, hint


def _given(path: Path, values: Any) -> str:
    for part in path:
        values = values[part]
    return str(values)


def _near(name: str, names: list[str]) -> str | None:
    """What a misspelt name most likely means: first the one that differs in hyphens only."""
    plain = name.replace("-", "_").lower()
    same = [known for known in names if known.replace("-", "_").lower() == plain]
    return next(iter(same or get_close_matches(name, names, 1)), None)


def _readable(message: str) -> str:
    """The library's message, with limits of durations as they are written in the settings."""
    text = PYTHON_DURATION.sub(_duration, message.removeprefix("Value error, "))
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def _duration(found: re.Match[str]) -> str:
    parts = {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", found[0])}
    return render_duration(timedelta(**parts))
