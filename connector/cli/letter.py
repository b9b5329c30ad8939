"""One dead letter on the screen; its text is foreign and may hold terminal escapes."""

import base64
from collections.abc import Iterator

from connector.cli.formatting import moment
from connector.cli.output import Format, Screen
from connector.core.journal import DeadLetter
from connector.operators.verbs.dead_letters import LetterDetail, original_of

SHOWN = 4096
"""Bytes of a body that are shown to people."""
WIDTH = 16
PRINTABLE = range(0x20, 0x7F)


def show(screen: Screen, detail: LetterDetail) -> None:
    """Show it; as JSON with its bytes in base64."""
    match screen.form:
        case Format.JSON:
            screen.json({"letter": detail.letter, "event": detail.event})
        case Format.CSV:
            screen.csv(("member", "value"), _facts(detail))
        case Format.TABLE:
            screen.facts(_facts(detail), f"Dead letter {detail.view.place}")
            _body(screen, detail.letter)


def _facts(detail: LetterDetail) -> list[tuple[str, object]]:
    view = detail.view
    headers = [(f"header {name}", _text(value)) for name, value in detail.letter.headers]
    return [
        ("code", view.code),
        ("came", moment(view.at)),
        ("bytes", view.size),
        ("sha256", view.digest),
        ("reads as", view.reads_as or "nothing: it cannot be parsed"),
        ("subject", view.subject),
        *headers,
    ]


def _text(value: str) -> str:
    body = base64.b64decode(value)
    text = _as_text(body)
    return body.hex(" ") if text is None else text


def _body(screen: Screen, letter: DeadLetter) -> None:
    body = original_of(letter)
    begin = body[:SHOWN]
    text = _as_text(begin)
    for line in _hex(begin) if text is None else text.splitlines():
        screen.line(line)
    if len(body) > SHOWN:
        screen.remark(f"{len(body) - SHOWN} more bytes; --output json has them all.")


def _as_text(body: bytes) -> str | None:
    """UTF-8 of which nearly all can be printed; the screen escapes the rest. None: it is none."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    odd = sum(not char.isprintable() and char not in "\n\r\t" for char in text)
    return text if odd * 20 <= len(text) else None


def _hex(body: bytes) -> Iterator[str]:
    for start in range(0, len(body), WIDTH):
        part = body[start : start + WIDTH]
        text = "".join(chr(byte) if byte in PRINTABLE else "." for byte in part)
        yield f"{start:08x}  {part.hex(' '):<{3 * WIDTH}} {text}"
