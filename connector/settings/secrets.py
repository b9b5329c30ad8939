"""The secrets that the settings name, and when those end that say so themselves."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Mapping
from math import inf
from pathlib import Path as File
from typing import Any, NamedTuple

from connector.core.secret import Credential
from connector.settings.model import Settings
from connector.settings.secrecy import holds_text

PARTS = 3
"""A signed JSON Web Token has header, claims and signature."""


class OwnSecret(NamedTuple):
    """One mounted secret: its place in the settings, ``uems.corp.password_file``, and its file."""

    name: str
    file: File


def own_secrets(settings: Settings) -> Iterator[OwnSecret]:
    """All of them; keys of certificates are not among them, they end with their certificate."""
    yield from _below(settings.model_dump(), ())


def _below(value: Any, path: tuple[str, ...]) -> Iterator[OwnSecret]:
    if isinstance(value, Mapping):
        for member, inner in value.items():
            if holds_text(str(member), value):
                yield from _files(inner, (*path, str(member)))
            else:
                yield from _below(inner, (*path, str(member)))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _below(inner, (*path, str(number)))


def _files(value: Any, path: tuple[str, ...]) -> Iterator[OwnSecret]:
    if isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _files(inner, (*path, str(number)))
    elif value is not None:
        yield OwnSecret(".".join(path), File(value))


def end_of(secret: Credential) -> float:
    """Seconds since 1970 at which a token ends by its own claim ``exp``.

    Infinite for everything else: a password has no end that could be read from it. The signature is
    not checked, because the token is only sent, never accepted.
    """
    parts = secret.reveal().split(".")
    if len(parts) != PARTS:
        return inf
    try:
        claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return float(claims["exp"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return inf
