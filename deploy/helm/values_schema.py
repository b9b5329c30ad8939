"""The schema of the chart's values: the chart's own part, and the program's for ``config``.

Helm reads draft 7 with Go's regular expressions, and tells of an ``allOf`` only that it failed. So
what depends on another value is written with ``if``, whose faults are told one by one.
"""

from pathlib import Path
from typing import Any

import yaml

from connector.core.values import DURATION_PATTERN
from connector.journal.settings import LOGIN_NEEDS, OAUTH_NEEDS
from connector.settings.faults import NO_SETTING, NOT_WRITTEN
from connector.settings.secrecy import SECRET_WORDS
from connector.settings.service import TLS_OR_PROXIES

Schema = dict[str, Any]
FOLDER = Path(__file__).parent
NULL: Schema = {"type": "null"}
SHORT: dict[str, Schema] = {
    "array": {"type": "array"},
    "boolean": {"type": "boolean"},
    "object": {"type": "object"},
    "number": {"type": "number", "minimum": 0},
    "period": {"type": "string", "pattern": "^([0-9]+(ms|s|m|h|d|w))+$"},
    "port": {"type": "integer", "minimum": 1, "maximum": 65535},
    "positive": {"type": "integer", "minimum": 1},
    "quantity": {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"},
    "string": {"type": "string"},
    "strings": {"type": "object", "additionalProperties": {"type": "string"}},
}
ONE_POD = "one pod owns the file of the sqlite journal; for several pods take journal.kind: kafka"
NO_SCALING = "the sqlite journal has one pod; for autoscaling take journal.kind: kafka"
NO_BACKUP = "the brokers keep the kafka journal, docs/kafka.md says how it is backed up"
FILLED = {"service", "audit"}
"""Required sections that the chart fills."""
SENTENCES = {DURATION_PATTERN: "a duration with its unit, such as 30s, 48h, 14d or PT48H"}
"""What is said instead of a pattern that is hard to read."""
DROPPED = frozenset({"default", "discriminator", "format", "title", "x-consider"})


def values_schema(program: Schema) -> Schema:
    """The schema of values.yaml.

    Args:
        program: the schema of the settings' file, of the plug-ins that are installed.
    """
    own = yaml.safe_load((FOLDER / "values.schema.yaml").read_text("utf-8"))
    definitions = {name: _portable(one) for name, one in program["$defs"].items()}
    _tell_apart(definitions)
    settings = _portable({name: program[name] for name in ("description", "properties")})
    upstreams = {name: settings["properties"].pop(name) for name in ("uems", "cas")}
    loose = {name: {"type": "object", "minProperties": 1} for name in upstreams}
    settings["properties"] |= loose | {"journal": {"type": "object"}}
    root = _exactly(own)
    root["properties"]["config"] = settings | {"type": "object"} | _no_others(program["properties"])
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of the chart pki-connector",
        **root,
        **_modes(program["required"], upstreams),
        "definitions": definitions,
    }


def _exactly(members: dict[str, Any]) -> Schema:
    """An object with these members and no others, each in its short form."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _long(form) for name, form in members.items()},
    }


def _long(form: Any) -> Schema:
    if isinstance(form, str):
        return SHORT[form]
    if isinstance(form, list):
        return {"enum": form}
    if set(form) == {"schema"}:
        schema: Schema = form["schema"]
        return schema
    return _exactly(form)


def _portable(schema: Any) -> Any:
    """As draft 7 and without what only says how something is called or left out."""
    if isinstance(schema, list):
        return [_portable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    members = _without_unions({name: one for name, one in schema.items() if name not in DROPPED})
    if "$ref" in members:  # all that is beside it would be ignored
        return {"$ref": members["$ref"].replace("#/$defs/", "#/definitions/")}
    if members.get("pattern") in SENTENCES:
        return _said(members)
    if "off" in members.get("enum", ()):  # YAML 1.1 has a truth value for it without quotes
        del members["type"]
    settings = schema.get("properties", {})  # their names are no words of a schema
    rest = {name: _portable(one) for name, one in members.items() if name != "properties"}
    named = {name: _portable(one) for name, one in settings.items()}
    if named and rest.get("additionalProperties") is False:
        rest |= _no_others(named)
    return rest | ({"properties": named} if named else {})


def _no_others(settings: Schema) -> Schema:
    """What is said of other members, with the ones that there are; of a secret where it belongs."""
    known = f"{NO_SETTING}; here are {', '.join(sorted(settings))}"
    return {
        "additionalProperties": {"enum": [f"nothing, because it {known}"]},
        "patternProperties": {
            f"^(.+_)?({'|'.join(SECRET_WORDS)})$": {
                "enum": [f"nothing, because {NOT_WRITTEN}; give the path of a mounted file"]
            }
        },
    }


def _without_unions(members: Schema) -> Schema:
    """One form alone needs no choice, and one that may be null is told apart by that."""
    for union in ("oneOf", "anyOf"):
        if len(kinds := members.get(union, ())) == 1:
            members |= kinds[0]
            del members[union]
    if NULL in members.get("anyOf", ()):
        (other,) = [one for one in members.pop("anyOf") if one != NULL]
        members |= {"if": NULL, "else": other}
    return members


def _said(members: Schema) -> Schema:
    """A fault is told as the only other thing that there might be: a sentence."""
    sentence = SENTENCES[members["pattern"]]
    kept = {name: one for name, one in members.items() if name == "description"}
    return kept | {
        "if": {"type": "string", "pattern": members["pattern"]},
        "then": {},
        "else": {"enum": [sentence]},
    }


def _tell_apart(definitions: dict[str, Schema]) -> None:
    """Where one of two forms is right, say of the one that is meant what is wrong with it."""
    intake, sasl = definitions["Intake"], definitions["Sasl"]
    del intake["oneOf"], sasl["oneOf"]
    intake |= {
        "if": {"properties": {"plain_from": {"minItems": 1}}, "required": ["plain_from"]},
        "then": {"properties": {"tls": {"enum": [None, TLS_OR_PROXIES]}}},
    }
    sasl |= {
        "if": {"properties": {"mechanism": {"const": "OAUTHBEARER"}}},
        "then": _either(["token_file"], ["user", "password_file"], OAUTH_NEEDS),
        "else": _either(["user", "password_file"], ["token_file"], LOGIN_NEEDS),
    }
    for section, written in (
        ("KafkaSettings", "type"),
        ("Service", "intake"),
        ("Audit", "key_file"),
    ):
        definitions[section]["required"].remove(written)  # by the chart


def _either(given: list[str], left_out: list[str], sentence: str) -> Schema:
    """Some are given, and others are not, or null, which values have for what is left out."""
    text = {"if": SHORT["string"], "then": {}, "else": {"enum": [sentence]}}
    none = {"enum": [None, sentence]}
    properties = dict.fromkeys(given, text) | dict.fromkeys(left_out, none)
    return {"required": given, "properties": properties}


def _modes(required: list[str], upstreams: Schema) -> Schema:
    """What depends on the kind of journal, on a demo, and on plug-ins that are not known here."""
    decided = {
        "if": {"properties": {"demo": _enabled()}},
        "then": {},
        "else": {"properties": {"config": {"required": sorted({*required} - FILLED)}}},
    }
    known = {
        "if": {"properties": {"image": {"properties": {"plugins": {"maxItems": 0}}}}},
        "then": {"properties": {"config": {"properties": upstreams}}, **decided},
        "else": decided,
    }
    return {
        "if": {"properties": {"journal": {"properties": {"kind": {"const": "kafka"}}}}},
        "then": {
            "properties": {
                "backup": {"properties": {"enabled": {"enum": [False, NO_BACKUP]}}},
                "config": _journal("KafkaSettings", ["journal"]),
            },
            **known,
        },
        "else": {
            "properties": {
                "replicaCount": {"enum": [1, None, ONE_POD]},
                "autoscaling": {"properties": {"enabled": {"enum": [False, NO_SCALING]}}},
                "config": _journal("SqliteSettings", []),
            },
            **known,
        },
    }


def _enabled() -> Schema:
    return {"properties": {"enabled": {"const": True}}, "required": ["enabled"]}


def _journal(kind: str, required: list[str]) -> Schema:
    journal = {"$ref": f"#/definitions/{kind}"}
    return {"properties": {"journal": journal}, **({"required": required} if required else {})}
