"""Writes what is made from the program: ``python -m docs.generate pages|schemas``.

A test compares each file with what would be written, so none of them can be out of date.
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from connector.cli.docs import errors_page, states_page
from connector.core.audit import AuditRecord
from connector.core.events import Event
from connector.core.journal import DeadLetter, PartitionRecord
from connector.core.states import State
from connector.observe.reference import metrics_page
from connector.settings.page import configuration_page
from connector.settings.plugins import installed
from connector.settings.schema import DIALECT, configuration_schema
from deploy.helm.values_schema import values_schema
from deploy.helm.values_table import readme

ROOT = Path(__file__).parents[1]
Write = Callable[[], str]


def _schema(name: str, kind: Any) -> str:
    schema = TypeAdapter(kind).json_schema(mode="validation")
    _require_tags(schema, schema.get("$defs", {}))
    head = {"$schema": DIALECT, "$id": f"urn:pki-connector:schema:{name}:1"}
    return _json({**head, **schema})


def _require_tags(schema: Any, kinds: dict[str, Any]) -> None:
    """What tells the kinds of a union apart may not be missing, although it has a default."""
    if isinstance(schema, list):
        for inner in schema:
            _require_tags(inner, kinds)
    elif isinstance(schema, dict):
        tag = schema.get("discriminator", {})
        for reference in tag.get("mapping", {}).values():
            kind = kinds[reference.removeprefix("#/$defs/")]
            kind["required"] = sorted({*kind.get("required", ()), tag["propertyName"]})
        for inner in schema.values():
            _require_tags(inner, kinds)


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


PAGES: dict[str, Write] = {
    "deploy/helm/pki-connector/README.md": readme,
    "docs/configuration.md": lambda: configuration_page(installed()),
    "docs/errors.md": errors_page,
    "docs/metrics.md": metrics_page,
    "docs/states.md": states_page,
}
SCHEMAS: dict[str, Write] = {
    "deploy/helm/pki-connector/values.schema.json": lambda: _json(
        values_schema(configuration_schema(installed()))
    ),
    "schemas/audit-record.schema.json": partial(_schema, "audit-record", AuditRecord),
    "schemas/configuration.schema.json": lambda: _json(configuration_schema(installed())),
    "schemas/dead-letter.schema.json": partial(_schema, "dead-letter", DeadLetter),
    "schemas/event.schema.json": partial(_schema, "event", Event),
    "schemas/partition-record.schema.json": partial(_schema, "partition-record", PartitionRecord),
    "schemas/state.schema.json": partial(_schema, "state", State),
}


def main(kind: str) -> None:
    """Write all pages or all schemas, and name what has changed."""
    for name, write in {"pages": PAGES, "schemas": SCHEMAS}[kind].items():
        file, text = ROOT / name, write()
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            print(f"wrote {name}")


if __name__ == "__main__":
    main(sys.argv[1])
