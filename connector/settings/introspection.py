"""What the settings look like: every member with its kind, default and explanation.

Error report, example file and documentation are all made from this.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path as File
from types import UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from connector.core.values import render_duration
from connector.settings.report import Path

KINDS: dict[Any, str] = {
    bool: "true or false",
    int: "number",
    float: "number",
    str: "text",
    timedelta: "duration",
    File: "path",
    IPv4Network: "IP network",
    IPv6Network: "IP network",
}


class Member(NamedTuple):
    """One setting. ``default`` None: it must be given. ``consider``: what to think about first."""

    path: Path
    kind: str
    default: str | None
    text: str
    consider: str

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is None


class Group(NamedTuple):
    """A model inside the settings: where it stands, and its direct members that are values.

    In its path a name that people choose is ``NAME``, an item of a list ``N``, and ``(type)``
    follows where a plug-in has settings of its own.
    """

    path: Path
    text: str
    members: tuple[Member, ...]
    required: bool

    @property
    def tag(self) -> str:
        """The plug-in whose settings these are, or nothing."""
        return next((str(part)[1:-1] for part in self.path if _is_tag(part)), "")

    @property
    def place(self) -> Path:
        """The path without the plug-in's name."""
        return tuple(part for part in self.path if not _is_tag(part))


def groups(model: type[BaseModel]) -> Iterator[Group]:
    """All groups of settings, outermost first."""
    yield from _groups(model, (), None)


def _groups(model: type[BaseModel], path: Path, field: FieldInfo | None) -> Iterator[Group]:
    default = field.default if field and isinstance(field.default, model) else None
    values, inner = [], []
    for name, member in model.model_fields.items():
        if member.annotation is type(None):  # it can only be left out
            continue
        below = list(_models(member.annotation, (*path, name)))
        inner += [(kind, where, member) for kind, where in below]
        if not below:
            values.append(_member(member, (*path, name), getattr(default, name, None)))
    summary = (model.__doc__ or "").split("\n\n")[0]
    role = (field.description or "") if field else ""
    text = _text(summary if summary.startswith(role) else f"{role} {summary}")
    yield Group(path, text, (*values,), field is None or field.is_required())
    for kind, where, member in inner:
        yield from _groups(kind, where, member)


def field_at(model: type[BaseModel], path: Path, values: Any) -> FieldInfo | None:
    """The declaration of the setting at ``path``; ``values`` tell which plug-in it belongs to."""
    kind: Any = model
    found: FieldInfo | None = None
    for part in path:
        values = values.get(part) if isinstance(values, Mapping) else None
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found = kind.model_fields.get(str(part))
            kind = None if found is None else _stripped(found.annotation)
        else:
            found, kind = None, _element(kind)
        if get_origin(kind) in {Union, UnionType}:
            kind = _chosen(kind, values)
    return found


def siblings(model: type[BaseModel], path: Path, values: Any) -> list[str]:
    """The names that could stand in the place of the last part of ``path``."""
    inside = values
    for part in path[:-1]:
        inside = inside.get(part, {}) if isinstance(inside, Mapping) else {}
    names: set[str] = set()
    for group in groups(model):
        if _fits(group, path[:-1], inside):
            names |= {str(member.path[-1]) for member in group.members}
    return sorted(names)


def types_in(model: type[BaseModel], section: str | int) -> list[str]:
    """The types that an entry of a section may have: the names of the installed plug-ins."""
    entries = (group for group in groups(model) if group.place == (section, "NAME"))
    return sorted({group.tag for group in entries if group.tag})


def _fits(group: Group, path: Path, inside: Any) -> bool:
    if len(group.place) != len(path):
        return False
    if group.tag and isinstance(inside, Mapping) and inside.get("type", group.tag) != group.tag:
        return False
    return all(a in {b, "NAME", "N"} for a, b in zip(group.place, path, strict=True))


def _is_tag(part: str | int) -> bool:
    return str(part).startswith("(")


def _member(field: FieldInfo, path: Path, given: Any) -> Member:
    """``given`` is the value in the default of the whole group, if it has one."""
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    value = field.get_default(call_default_factory=False) if given is None else given
    return Member(
        path,
        _kind(field.annotation),
        None if field.is_required() and given is None else _default(value),
        _text(field.description or ""),
        str(extra.get("x-consider", "")),
    )


def _text(source: str) -> str:
    """A docstring as one line of Markdown."""
    return " ".join(source.replace("``", "`").split())


def _default(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case timedelta():
            return render_duration(value)
        case tuple() | list() | dict() | frozenset():
            return "empty" if not value else f"[{', '.join(map(str, value))}]"
        case _:
            return str(value)


def _kind(annotation: Any) -> str:
    kind = _stripped(annotation)
    arguments = get_args(kind)
    origin = get_origin(kind)
    if origin is Literal:
        return " | ".join(map(str, arguments))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return " | ".join(kind)
    if origin in {Union, UnionType}:
        return " or ".join(dict.fromkeys(map(_kind, arguments)))
    if origin in {tuple, list, frozenset, set}:
        return f"list of {_kind(arguments[0])}"
    if origin is dict:
        return f"mapping of {_kind(arguments[0])} to {_kind(arguments[1])}"
    return KINDS.get(kind, "text")


def _models(
    annotation: Any, path: Path, *, chosen: bool = False
) -> Iterator[tuple[type[BaseModel], Path]]:
    """Models in an annotation, each with its path; ``chosen``: it is one of several."""
    kind = _stripped(annotation)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        tag = _tag(kind) if chosen or path[-1:] == ("NAME",) else None
        yield kind, (*path, f"({tag})") if tag else path
    elif get_origin(kind) is dict:
        yield from _models(get_args(kind)[1], (*path, "NAME"))
    elif get_origin(kind) in {tuple, list}:
        yield from _models(get_args(kind)[0], (*path, "N"))
    elif get_origin(kind) in {Union, UnionType}:
        for choice in get_args(kind):
            yield from _models(choice, path, chosen=True)


def _tag(kind: Any) -> str | None:
    fields = getattr(kind, "model_fields", {})
    names = get_args(fields["type"].annotation) if "type" in fields else ()
    return str(names[0]) if names else None


def _chosen(union: Any, values: Any) -> Any:
    kinds = [kind for kind in map(_stripped, get_args(union)) if _tag(kind)]
    wanted = values.get("type") if isinstance(values, Mapping) else None
    if wanted is None:
        return next((kind for kind in kinds if not kind.model_fields["type"].is_required()), None)
    return next((kind for kind in kinds if _tag(kind) == wanted), None)


def _element(kind: Any) -> Any:
    arguments = get_args(kind)
    if not arguments:
        return None
    return _stripped(arguments[1] if get_origin(kind) is dict else arguments[0])


def _stripped(annotation: Any) -> Any:
    """Without ``Annotated`` and without ``| None``."""
    while hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    if get_origin(annotation) in {Union, UnionType}:
        rest = [kind for kind in get_args(annotation) if kind is not type(None)]
        if len(rest) == 1:
            return _stripped(rest[0])
    return annotation
