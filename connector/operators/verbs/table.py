"""The table of all verbs."""

from collections.abc import Mapping
from typing import Any, Final

from connector.operators.verbs import acts, audit, dead_letters, plan, status, support
from connector.operators.verbs.verb import Declared, Method

AnyVerb = Declared[Any, Any]

VERBS: Final[tuple[AnyVerb, ...]] = tuple(
    found
    for module in (status, acts, plan, dead_letters, audit, support)
    for found in vars(module).values()
    if isinstance(found, Declared)
)
"""All of them, in the order of their declaration."""


def by_route() -> Mapping[tuple[Method, str], list[AnyVerb]]:
    """The verbs at each address: one, or several that differ by ``act``."""
    found: dict[tuple[Method, str], list[AnyVerb]] = {}
    for verb in VERBS:
        found.setdefault((verb.method, verb.path), []).append(verb)
    return found
