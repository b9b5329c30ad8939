"""Data as words that are safe to show: no control characters, no formulas, times in UTC."""

from datetime import UTC, datetime

from connector.core.model import Millis

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A cell that begins with one of these is a formula to a spreadsheet (full-width ones too)."""
UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000))


def shown(value: object) -> str:
    """A value as one printable line: control characters are written as escapes."""
    if value is None:
        return ""
    text = "yes" if value is True else "no" if value is False else str(value)
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def defused(value: object) -> str:
    """A value as a CSV cell that no spreadsheet takes for a formula."""
    text = shown(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def moment(at: Millis | None) -> str:
    """A moment in UTC, RFC 3339 to the second; nothing for none."""
    if at is None:
        return ""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(at: Millis | None) -> str:
    """The day of a moment in UTC."""
    return moment(at)[:10]


def span(length: Millis) -> str:
    """A length of time in its two greatest units: ``3h5m``, ``2d``, ``0s``."""
    rest, parts = abs(length), []
    for unit, size in UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2]) or "0s"


def age(since: Millis | None, now: Millis) -> str:
    """How long ago."""
    return "" if since is None else span(max(now - since, 0))


def due(at: Millis | None, now: Millis) -> str:
    """When something is due, seen from now."""
    if at is None:
        return ""
    return "now" if at <= now else f"in {span(at - now)}"


def short(fingerprint: str) -> str:
    """The beginning of a fingerprint, enough to name it by."""
    return fingerprint[:16]
