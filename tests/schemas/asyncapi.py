"""``schemas/kafka.asyncapi.yaml`` as tests read it, and which of its messages a record is."""

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from connector.journal.kafka.cloudevents import Headers

FOLDER = Path(__file__).parents[2] / "schemas"
NAME = "kafka.asyncapi.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load((FOLDER / NAME).read_text("utf-8"))
BASE = "file:///schemas/"


def _retrieve(uri: str) -> Resource[Any]:
    file = FOLDER / uri.removeprefix(BASE)
    return DRAFT202012.create_resource(json.loads(file.read_text("utf-8")))


REGISTRY: Registry[Any] = Registry(retrieve=_retrieve).with_resource(  # type: ignore[call-arg]
    BASE + NAME, DRAFT202012.create_resource(DOCUMENT)
)


class Written(NamedTuple):
    """A record as it lies in a topic."""

    key: bytes | None
    value: bytes | None
    headers: Headers


def resolved(reference: str) -> Any:
    """What a reference of the document points to; raises ``Unresolvable``."""
    return REGISTRY.resolver(BASE + NAME).lookup(reference).contents


@cache
def validator(place: str) -> Draft202012Validator:
    """Of the schema at a place of the document (``#/…``)."""
    return Draft202012Validator({"$ref": f"{BASE}{NAME}{place}"}, registry=REGISTRY)


def messages(channel: str, record: Written) -> list[str]:
    """The names of all messages of a channel that a record is."""
    wanted = DOCUMENT["channels"][channel]["messages"]
    return [name for name, one in wanted.items() if _is(one["$ref"], record)]


def _is(place: str, record: Written) -> bool:
    message = resolved(place)
    headers = {name: value.decode() for name, value in record.headers}
    if len(headers) < len(record.headers):
        return False
    key = (record.key or b"").decode()
    return (
        validator(f"{place}/bindings/kafka/key").is_valid(key)
        and validator(f"{place}/headers").is_valid(headers)
        and _is_payload(place, message, record.value)
    )


def _is_payload(place: str, message: dict[str, Any], value: bytes | None) -> bool:
    if "payload" not in message or value is None:
        return "payload" not in message and value is None
    inner = "/payload/schema" if "schemaFormat" in message["payload"] else "/payload"
    return validator(place + inner).is_valid(json.loads(value))
