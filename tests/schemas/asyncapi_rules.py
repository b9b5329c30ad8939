"""What AsyncAPI 3.0.0 demands of a document, as JSON Schema, for the objects that ours has.

From https://www.asyncapi.com/docs/reference/specification/v3.0.0 and the Kafka bindings 0.5.0
(https://github.com/asyncapi/bindings/tree/master/kafka): members that are required, no member that
the specification does not know (but for ``x-…``), and references only where they may stand.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Rule = dict[str, Any]

TEXT: Rule = {"type": "string", "minLength": 1}
NUMBER: Rule = {"type": "integer"}
NAME = r"^[A-Za-z0-9_\-]+$"
REFERENCE: Rule = {
    "type": "object",
    "properties": {"$ref": {"type": "string", "pattern": "^(#/|\\./)"}},
    "required": ["$ref"],
    "additionalProperties": False,
}
SCHEMA: Rule = {"type": ["object", "boolean"]}


def made(members: Mapping[str, Rule], required: Sequence[str] = ()) -> Rule:
    """An object with exactly these members."""
    return {
        "type": "object",
        "properties": dict(members),
        "patternProperties": {"^x-": True},
        "required": list(required),
        "additionalProperties": False,
    }


def mapped(rule: Rule) -> Rule:
    """An object whose members have names of our own."""
    return {"type": "object", "patternProperties": {NAME: rule}, "additionalProperties": False}


def either(rule: Rule) -> Rule:
    """The thing itself, or a reference to it."""
    return {"if": {"required": ["$ref"]}, "then": REFERENCE, "else": rule}


def listed(rule: Rule) -> Rule:
    """Some of them, each once."""
    return {"type": "array", "items": rule, "uniqueItems": True}


def bound(**members: Rule) -> Rule:
    """The Kafka binding of something."""
    return made({"kafka": made({"bindingVersion": {"const": "0.5.0"}, **members})})


TOPIC = made(
    {
        "cleanup.policy": listed({"enum": ["compact", "delete"]}),
        "retention.ms": NUMBER,
        "retention.bytes": NUMBER,
        "delete.retention.ms": NUMBER,
        "max.message.bytes": NUMBER,
    }
)
TITLES = {"title": TEXT, "summary": TEXT, "description": TEXT}
PARAMETER = made({"description": TEXT, "default": TEXT, "enum": listed(TEXT), "location": TEXT})
FORMATTED = made({"schemaFormat": TEXT, "schema": SCHEMA}, ["schemaFormat", "schema"])
PAYLOAD: Rule = {"if": {"required": ["schemaFormat"]}, "then": FORMATTED, "else": either(SCHEMA)}
MESSAGE = made(
    {
        **TITLES,
        "name": TEXT,
        "contentType": TEXT,
        "headers": either(SCHEMA),
        "payload": PAYLOAD,
        "bindings": bound(key=either(SCHEMA)),
    }
)
CHANNEL = made(
    {
        **TITLES,
        "address": {"type": ["string", "null"]},
        "parameters": mapped(either(PARAMETER)),
        "messages": mapped(either(MESSAGE)),
        "servers": listed(REFERENCE),
        "bindings": bound(topic=TEXT, partitions=NUMBER, replicas=NUMBER, topicConfiguration=TOPIC),
    }
)
OPERATION = made(
    {
        **TITLES,
        "action": {"enum": ["send", "receive"]},
        "channel": REFERENCE,
        "messages": listed(REFERENCE),
        "bindings": bound(groupId=SCHEMA, clientId=SCHEMA),
    },
    ["action", "channel"],
)
SECURITY = made(
    {
        "type": {"enum": ["X509", "plain", "scramSha256", "scramSha512", "http", "userPassword"]},
        "description": TEXT,
        "scheme": TEXT,
    },
    ["type"],
)
SERVER = made(
    {
        **TITLES,
        "host": TEXT,
        "protocol": TEXT,
        "protocolVersion": TEXT,
        "variables": mapped(either(PARAMETER)),
        "security": listed(either(SECURITY)),
    },
    ["host", "protocol"],
)
COMPONENTS = made(
    {
        "parameters": mapped(PARAMETER),
        "securitySchemes": mapped(SECURITY),
        "messages": mapped(MESSAGE),
        "schemas": mapped(SCHEMA),
    }
)
DOCUMENT = made(
    {
        "asyncapi": {"const": "3.0.0"},
        "info": made({"title": TEXT, "version": TEXT, "description": TEXT}, ["title", "version"]),
        "defaultContentType": TEXT,
        "servers": mapped(either(SERVER)),
        "channels": mapped(either(CHANNEL)),
        "operations": mapped(either(OPERATION)),
        "components": COMPONENTS,
    },
    ["asyncapi", "info"],
)
