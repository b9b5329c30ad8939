"""Which settings would be secrets if they held the value instead of a file's path."""

from collections.abc import Collection, Iterator
from typing import Any

SECRET_WORDS = ("password", "passphrase", "secret", "token", "tenant_code", "api_key", "key", "pin")
FILE_ENDINGS = ("_file", "_files")


def names_file(member: str) -> bool:
    """Whether a member holds the path of a file (or several)."""
    return member.endswith(FILE_ENDINGS)


def looks_secret(member: str) -> bool:
    """Whether a member of this name would hold a secret itself."""
    name = member.lower()
    if names_file(name):
        return False
    return any(name == word or name.endswith(f"_{word}") for word in SECRET_WORDS)


def holds_text(member: str, beside: Collection[str]) -> bool:
    """Whether a member names files that hold a secret as text, and not a certificate's key.

    Args:
        member: ``password_file``, ``secret_files``, ``key_file``.
        beside: the members of the same section.
    """
    name = member.removesuffix("_files").removesuffix("_file")
    of_certificate = f"{name.removesuffix('key')}certificate_file" in beside
    return names_file(member) and looks_secret(name) and not of_certificate


def secret_parts(value: Any) -> Iterator[tuple[str | int, ...]]:
    """The paths inside ``value`` whose names look secret."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        if isinstance(key, str) and looks_secret(key):
            yield (key,)
        for rest in secret_parts(inner):
            yield (key, *rest)
