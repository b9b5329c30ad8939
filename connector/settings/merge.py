"""Laying the environment's values over the file's, and completing what was given."""

from copy import deepcopy
from pathlib import Path as File
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from connector.settings.document import Tree
from connector.settings.report import Path
from connector.settings.secrecy import names_file

PATHS = frozenset({"path", "socket"})
"""Members, besides those called ``…_file``, that hold a path."""


def merge(file: Tree, environment: Tree) -> Tree:
    """Both trees as one; what is in the environment wins, single values at a time."""
    merged = Tree(deepcopy(file.values), dict(file.places), [*file.problems, *environment.problems])
    _lay(merged, merged.values, (), environment, environment.values, ())
    return merged


def _lay(
    merged: Tree, below: dict[str, Any], path: Path, above: Tree, values: dict[str, Any], was: Path
) -> None:
    for key, value in values.items():
        name = _meant(key, below)
        where, came = (*path, name), (*was, key)
        if place := above.places.get(came):
            merged.places[where] = place
        if isinstance(value, dict) and came not in above.places:
            if not isinstance(below.get(name), dict):
                below[name] = {}
            _lay(merged, below[name], where, above, value, came)
        else:
            below[name] = value


def _meant(key: str, below: dict[str, Any]) -> str:
    """A variable's name cannot hold a hyphen; it means the name that differs in nothing else."""
    if key in below:
        return key
    return next((name for name in below if name.replace("-", "_") == key), key)


def absolute(value: Any, base: File, member: str = "") -> Any:
    """The same values with paths made absolute; relative ones start at ``base``."""
    if isinstance(value, dict):
        return {key: absolute(inner, base, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [absolute(inner, base, member) for inner in value]
    if isinstance(value, str) and (names_file(member) or member in PATHS):
        return str((base / value).absolute())
    return value


def opened(kind: Any, value: Any) -> Any:
    """The same values with an empty section for each one that is required and was left out.

    So the report names each setting that must be decided, not only the section it is in.
    """
    if get_origin(kind) is dict and isinstance(value, dict):
        return {key: opened(get_args(kind)[1], inner) for key, inner in value.items()}
    if not (isinstance(kind, type) and issubclass(kind, BaseModel) and isinstance(value, dict)):
        return value
    whole = dict(value)
    for name, field in kind.model_fields.items():
        needed = isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        if name in whole or (needed and field.is_required()):
            whole[name] = opened(field.annotation, whole.get(name, {}))
    return whole
