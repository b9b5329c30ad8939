"""The catalogue of error codes, ``errors.yaml`` beside this file, as checked records."""

from functools import cache
from importlib.resources import files
from types import MappingProxyType

import yaml
from pydantic import TypeAdapter

from connector.core.errors import Family
from connector.core.model import Record

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C, where PyYAML has it: every process reads the catalogue at its start, and the one in
Python takes a tenth of that start."""


class CatalogueEntry(Record):
    """One code: its title, whose turn it is, and what the operator does.

    ``http`` is the status of an answer that carries the code, where there is one.
    """

    title: str
    family: Family
    http: int | None = None
    cause: str
    action: str


@cache
def catalogue() -> MappingProxyType[str, CatalogueEntry]:
    """All entries by code, read once."""
    text = files("connector").joinpath("errors.yaml").read_text(encoding="utf-8")
    document = yaml.load(text, LOADER)  # noqa: S506 - both are safe loaders
    entries = TypeAdapter(dict[str, CatalogueEntry]).validate_python(document)
    return MappingProxyType(entries)
