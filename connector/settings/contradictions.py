"""Settings that are each well-formed and cannot be right together, or can hardly be meant.

What cannot work is a fault; what may be meant, such as a UEM that no route uses yet, is a warning.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from connector.core.upstream import is_host
from connector.settings.report import Path

EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not listened on
PLATFORMS = frozenset({"apple", "appleosx", "android", "winrt", "*"})
"""Platforms as UEMs name them in lower case, as far as we know; others may come."""


class Found(NamedTuple):
    """A fault at a path: code, what is wrong, what to do."""

    path: Path
    code: str
    wrong: str
    action: str


def contradictions(values: dict[str, Any]) -> Iterator[Found]:
    """What cannot work."""
    for name, route in mappings(values, "routes"):
        yield from _one_proof(("routes", name), route)
        yield from _no_domains(("routes", name, "mail_domains"), route.get("mail_domains"))
    yield from _one_port(mapping(values, "service"))


def doubts(values: dict[str, Any]) -> Iterator[Found]:
    """What is probably a mistake."""
    routes = mappings(values, "routes")
    used = {route["uem"] for _, route in routes if isinstance(route.get("uem"), str)}
    for name, _ in mappings(values, "uems"):
        if name not in used:
            wrong = "is used by no route: its devices get nothing"
            yield Found(("uems", name), "CFG-001", wrong, "Add a route, or remove it.")
    for name, route in routes:
        yield from _unknown_platforms(("routes", name), route)


def _one_proof(path: Path, route: dict[str, Any]) -> Iterator[Found]:
    identity = mapping(route, "identity")
    first, second = identity.get("person_attribute"), identity.get("agreeing_attribute")
    if isinstance(first, str) and isinstance(second, str) and first.lower() == second.lower():
        wrong = "is the same attribute as person_attribute, and so proves nothing"
        action = "Choose one that is maintained separately."
        yield Found((*path, "identity", "agreeing_attribute"), "CFG-001", wrong, action)


def _no_domains(path: Path, domains: object) -> Iterator[Found]:
    for index, domain in enumerate(domains if isinstance(domains, list) else ()):
        if isinstance(domain, str) and not is_host(domain):
            wrong = "is not a mail domain and matches no user"
            action = "Write the part after the @, without @ and *; each subdomain by itself."
            yield Found((*path, index), "CFG-001", wrong, action)


def _one_port(service: dict[str, Any]) -> Iterator[Found]:
    first = mapping(mapping(service, "intake"), "listen")
    second = mapping(mapping(service, "observe"), "listen")
    port = second.get("port", 9464)
    hosts = {str(one.get("host", "0.0.0.0")) for one in (first, second)}  # noqa: S104
    if port and port == first.get("port", 8443) and (len(hosts) == 1 or hosts & EVERYWHERE):
        wrong = "is also the port of service.intake.listen"
        path = ("service", "observe", "listen", "port")
        yield Found(path, "CFG-001", wrong, "Give each listener a port of its own.")


def _unknown_platforms(path: Path, route: dict[str, Any]) -> Iterator[Found]:
    allowed = mapping(route, "gates").get("platforms")
    named: list[tuple[Path, object]] = [
        ((*path, "profiles", name), name) for name in mapping(route, "profiles")
    ]
    for index, name in enumerate(allowed if isinstance(allowed, list) else ()):
        named.append(((*path, "gates", "platforms", index), name))
    for where, name in named:
        if isinstance(name, str) and name.lower() not in PLATFORMS:
            wrong = "names a platform that no UEM is known to have"
            action = "Compare it with the UEM's name: Apple, AppleOsX, Android, WinRT."
            yield Found(where, "CFG-001", wrong, action)


def unusable_text(value: object, path: Path = ()) -> Iterator[Found]:
    """Text with a character that no file, host or name can have; the system refuses it at use."""
    if isinstance(value, str) and _unusable(value):
        wrong = "holds a character that is not allowed in text (NUL, or half of a surrogate pair)"
        yield Found(path, "CFG-001", wrong, "Remove the escape sequence that stands for it.")
    elif isinstance(value, dict):
        for key, inner in value.items():
            # A name that cannot be printed is reported at the section that it is in.
            where = path if _unusable(key) else (*path, key)
            yield from unusable_text(key, where)
            yield from unusable_text(inner, where)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from unusable_text(inner, (*path, index))


def _unusable(text: str) -> bool:
    return any(one == "\0" or "\ud800" <= one <= "\udfff" for one in text)


def mapping(values: object, name: str) -> dict[str, Any]:
    """A section, empty when it is left out or something else."""
    section = values.get(name) if isinstance(values, dict) else None
    return section if isinstance(section, dict) else {}


def mappings(values: object, name: str) -> list[tuple[str, dict[str, Any]]]:
    """The sections inside a section, by name."""
    return [(key, one) for key, one in mapping(values, name).items() if isinstance(one, dict)]
