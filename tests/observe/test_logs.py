"""What a log line may hold."""

import ast
import base64
import logging
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from connector.core.errors import Permanent
from connector.observe.log_events import COMMON, EVENTS, FOREIGN
from connector.observe.logs import LogOptions
from connector.observe.scrub import LONGEST, MASK, is_identifier, scrub
from tests.observe.lines import KEY, Lines, logging_to

ROOT = Path(__file__).parents[2]
PEOPLE = {"test.people": frozenset({"user", "holder"})}


@pytest.fixture
def lines() -> Iterator[Lines]:
    with logging_to(LogOptions("info", KEY)) as found:
        yield found


def test_line_is_flat_json_in_utc(lines: Lines) -> None:
    """Time, level, event and logger come first, then what the event may carry."""
    structlog.get_logger("connector.app").info("service.ready", intake_port=8443)
    assert lines.stream.getvalue() == (
        '{"ts":"2026-03-05T08:40:00.123Z","level":"info","event":"service.ready",'
        '"logger":"connector.app","intake_port":8443}\n'
    )


def test_keys_that_are_not_listed_are_dropped_and_counted(lines: Lines) -> None:
    """A key is let through for one event and for no other; an unlisted event carries ids only."""
    log = structlog.get_logger("connector.app")
    log.info("service.ready", intake_port=1, backend="x", body="y", error_code="CFG-001")
    assert lines.last().keys() == {"ts", "level", "event", "logger", "intake_port", "error_code"}
    log.info("never.listed", intake_port=1, delivery_id="d-1")
    assert "intake_port" not in lines.last()
    assert lines.dropped == [2, 1]


def test_standard_loggers_go_the_same_way(lines: Lines) -> None:
    """Extras are keys; the message is the event."""
    logging.getLogger("connector.sources").warning(
        "intake.certificate_refused", extra={"error_code": "CFG-003", "path": "x"}
    )
    line = lines.last()
    assert (line["event"], line["level"]) == ("intake.certificate_refused", "warning")
    assert line["error_code"] == "CFG-003"
    assert "path" not in line


def test_libraries_show_their_template_only(lines: Lines) -> None:
    """The values that a library puts into its words do not appear, nor does a second line."""
    marker = "MARKER-aa12"
    log = logging.getLogger("asyncio")
    log.error("Error handling %s\n%s", marker, marker, extra={"body": marker})
    log.error(ValueError(marker))
    assert lines.all()[0]["message"] == "Error handling %s"
    assert lines.all()[0]["event"] == FOREIGN
    assert lines.all()[1]["message"] == "ValueError"
    assert marker not in lines.stream.getvalue()


def test_the_watch_over_files_is_quiet(lines: Lines) -> None:
    """It logs every look, and the look after that if the log lies where it watches."""
    logging.getLogger("watchfiles.main").debug("1 change detected")
    logging.getLogger("watchfiles.main").info("1 change detected")
    logging.getLogger("watchfiles.main").warning("the watch has ended")
    assert len(lines.all()) == 1


def test_exception_is_a_class_and_a_code(lines: Lines) -> None:
    """Neither text, nor traceback, nor locals."""
    marker = "MARKER-bb34"

    def fail(_secret: str) -> None:
        raise Permanent("CFG-003", marker)

    for log in (structlog.get_logger("connector.app"), logging.getLogger("connector.app")):
        try:
            fail(marker)
        except Permanent:
            log.exception("service.stopping")
        assert lines.last()["error"] == "Permanent"
        assert lines.last()["error_code"] == "CFG-003"
    assert marker not in lines.stream.getvalue()
    assert "Traceback" not in lines.stream.getvalue()


def test_context_is_bound_to_the_job(lines: Lines) -> None:
    """What is bound once appears in every line of the job, of all loggers."""
    with structlog.contextvars.bound_contextvars(delivery_id="00ff-1"):
        structlog.get_logger("connector.worker").info("service.stopping")
        logging.getLogger("aiohttp").info("words")
    assert [line["delivery_id"] for line in lines.all()] == ["00ff-1", "00ff-1"]


def log_people() -> None:
    log = structlog.get_logger("connector.app")
    log.info("test.people", user="m.muster@example.com", holder="acme/user/12")
    log.info("test.people", user="m.muster@example.com")


def test_people_appear_as_a_keyed_hash() -> None:
    """The same person is the same hash under one key, and the hash does not reveal who it is."""
    seen = []
    for key in (KEY, secrets.token_bytes(32)):
        with logging_to(LogOptions("info", key, events=PEOPLE)) as lines:
            log_people()
        first, second = lines.all()
        assert first["user"] == second["user"] != first["holder"]
        assert str(first["user"]).startswith("user:")
        assert "muster" not in lines.stream.getvalue()
        seen.append(first["user"])
    assert seen[0] != seen[1]


def test_people_appear_by_name_where_that_is_wanted() -> None:
    """A setting of the operator's, for those who may."""
    with logging_to(LogOptions("info", KEY, clear_users=True, events=PEOPLE)) as lines:
        log_people()
    assert lines.all()[0]["user"] == "m.muster@example.com"


@pytest.mark.parametrize("value", [b"bytes", ["list"], {"a": 1}, object(), 2**70])
def test_values_are_flat(lines: Lines, value: object) -> None:
    """Anything but text and numbers appears as its type's name."""
    structlog.get_logger("connector.app").info("service.ready", intake_port=value)
    assert lines.last()["intake_port"] == type(value).__name__


def pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


RANDOM = secrets.token_bytes(48)
WORD = secrets.token_urlsafe(18)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"key: {pem()} end", "PRIVATE KEY"),
        ("cut -----BEGIN PRIVATE KEY-----\nMIG", "MIG"),
        (base64.b64encode(RANDOM).decode(), base64.b64encode(RANDOM).decode()[5:20]),
        (
            base64.urlsafe_b64encode(RANDOM).decode(),
            base64.urlsafe_b64encode(RANDOM).decode()[5:20],
        ),
        (RANDOM.hex(), RANDOM.hex()[5:20]),
        (RANDOM.hex().upper(), RANDOM.hex().upper()[5:20]),
        (f"Authorization: Basic {WORD}", WORD),
        (f"'authorization': 'CMSURL`1 {WORD}'", WORD),
        (f"sent Bearer {WORD}.x", WORD),
        (f"password={WORD}", WORD),
        (f'{{"Password": "{WORD} {WORD}"}}', WORD),
        (f"api_key: {WORD}", WORD),
        (f"aw-tenant-code={WORD}", WORD),
        (f"client_secret={WORD}&x=1", WORD),
        (f"whsec_{WORD}", WORD),
        (f"webhook-signature: v1,{WORD}", WORD),
        (f"https://user:{WORD}@host/path", WORD),
    ],
    ids=range(17),
)
def test_what_looks_like_a_secret_is_masked(text: str, secret: str) -> None:
    """The last safeguard, under any member's name."""
    assert secret not in scrub(text)
    assert MASK in scrub(text)


@pytest.mark.parametrize(
    "text",
    [
        "service.ready",
        "/var/lib/pki-connector/journal/of-this-service.sqlite",
        "https://ca.example.com:8443/escrow/v1",
        "connection refused by 127.0.0.1:8443",
        "CA-001: reading the answer",
    ],
)
def test_ordinary_text_passes(text: str) -> None:
    """A net that catches everything would be switched off."""
    assert scrub(text) == text


def test_only_ids_may_be_long_hexadecimal(lines: Lines) -> None:
    """An event's id passes under its own key, and is masked under another."""
    long = secrets.token_hex(32)
    log = structlog.get_logger("connector.app")
    log.info("upstream.changed", event_id=long, backend=long)
    assert (lines.last()["event_id"], lines.last()["backend"]) == (long, MASK)
    log.info("upstream.changed", event_id=base64.b64encode(RANDOM).decode())
    assert lines.last()["event_id"] == MASK


@given(st.text())
def test_any_text_can_be_scrubbed_and_written(text: str) -> None:
    """Bounded, encodable, and nothing raised."""
    clean = scrub(text)
    assert len(clean) <= LONGEST
    clean.encode()
    assert is_identifier(text) in {True, False}


LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}
"""``log.log`` is not among them: its calls build their keys, and have tests of their own."""


def log_calls() -> Iterator[tuple[str, str, set[str]]]:
    """Where, event and keys of every log call in the package."""
    for path in (ROOT / "connector").rglob("*.py"):
        if "simulators" in path.parts or "demo" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and is_log_call(node.func):
                event = node.args[0]
                if isinstance(event, ast.Constant):
                    where = f"{path.relative_to(ROOT)}:{node.lineno}"
                    yield where, str(event.value), keys_of(node)


def is_log_call(function: ast.expr) -> bool:
    if not isinstance(function, ast.Attribute):
        return False
    if function.attr in {"_say", "say"}:
        return True
    owner = ast.unparse(function.value)
    return function.attr in LEVELS and ("log" in owner.lower())


def keys_of(call: ast.Call) -> set[str]:
    keys = {word.arg for word in call.keywords if word.arg}
    for word in call.keywords:
        if word.arg == "extra" and isinstance(word.value, ast.Dict):
            keys |= {str(key.value) for key in word.value.keys if isinstance(key, ast.Constant)}
    return keys - {"extra", "exc_info"}


def test_every_log_call_is_listed() -> None:
    """An event that is not in the table would lose its keys when it is needed."""
    calls = list(log_calls())
    assert len(calls) >= 5
    for where, event, keys in calls:
        assert event in EVENTS, f"{where}: list {event} in observe/log_events.py"
        assert keys <= EVENTS[event] | COMMON, f"{where}: {keys - EVENTS[event] - COMMON}"


def test_the_key_of_the_users_hash_is_not_shown() -> None:
    """With the key it could be found out which user a line is about."""
    assert repr(KEY)[2:-1] not in repr(LogOptions("info", KEY))
