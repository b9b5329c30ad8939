"""What the settings look like: every member with its kind, default and explanation.

Error report, example file and documentation are all made from this.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path as File
from types import UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from connector.settings.report import Path
from connector.settings.values import render_duration

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
    """A model inside the settings: where it stands, and its direct members that are values."""

    path: Path
    text: str
    members: tuple[Member, ...]
    required: bool


def groups(model: type[BaseModel], path: Path = (), *, required: bool = True) -> Iterator[Group]:
    """All groups of settings, outermost first. A name that people choose is ``NAME`` in a path."""
    values, inner = [], []
    for name, field in model.model_fields.items():
        below = list(_models(field.annotation, (*path, name)))
        inner += [(kind, where, field.is_required()) for kind, where in below]
        if not below:
            values.append(_member(field, (*path, name)))
    yield Group(
        path, " ".join((model.__doc__ or "").split("\n\n")[0].split()), (*values,), required
    )
    for kind, where, needed in inner:
        yield from groups(kind, where, required=needed)


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
        if _fits(group.path, path[:-1], inside):
            names |= {str(member.path[-1]) for member in group.members}
    return sorted(names)


def _fits(pattern: Path, path: Path, inside: Any) -> bool:
    kept = tuple(part for part in pattern if not str(part).startswith("("))
    if len(kept) != len(path):
        return False
    tags = [str(part) for part in pattern if str(part).startswith("(")]
    if tags and isinstance(inside, Mapping) and f"({inside.get('type')})" not in tags:
        return False
    return all(a in {b, "NAME", "N"} for a, b in zip(kept, path, strict=True))


def _member(field: FieldInfo, path: Path) -> Member:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    return Member(
        path,
        _kind(field.annotation),
        None if field.is_required() else _default(field.get_default(call_default_factory=False)),
        " ".join((field.description or "").split()),
        str(extra.get("x-consider", "")),
    )


def _default(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case timedelta():
            return render_duration(value)
        case tuple() | list() | dict() | frozenset():
            return "empty" if not value else ", ".join(map(str, value))
        case _:
            return str(value)


def _kind(annotation: Any) -> str:
    kind = _stripped(annotation)
    arguments = get_args(kind)
    origin = get_origin(kind)
    if origin is Literal:
        return " | ".join(map(str, arguments))
    if origin in {Union, UnionType}:
        return " or ".join(dict.fromkeys(map(_kind, arguments)))
    if origin in {tuple, list, frozenset, set}:
        return f"list of {_kind(arguments[0])}"
    if origin is dict:
        return f"mapping of {_kind(arguments[0])} to {_kind(arguments[1])}"
    return KINDS.get(kind, "text")


def _models(annotation: Any, path: Path) -> Iterator[tuple[type[BaseModel], Path]]:
    kind = _stripped(annotation)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind, path
    elif get_origin(kind) is dict:
        yield from _models(get_args(kind)[1], (*path, "NAME"))
    elif get_origin(kind) in {tuple, list}:
        yield from _models(get_args(kind)[0], (*path, "N"))
    elif get_origin(kind) in {Union, UnionType}:
        for choice in get_args(kind):
            tag = _tag(choice)
            yield from _models(choice, (*path, f"({tag})") if tag else path)


def _tag(kind: Any) -> str | None:
    fields = getattr(kind, "model_fields", {})
    names = get_args(fields["type"].annotation) if "type" in fields else ()
    return str(names[0]) if names else None


def _chosen(union: Any, values: Any) -> Any:
    wanted = values.get("type") if isinstance(values, Mapping) else None
    return next((kind for kind in get_args(union) if _tag(kind) == wanted), None)


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
