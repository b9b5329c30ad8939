"""Settings from the environment: ``PKI_CONNECTOR_SERVICE__LOG_LEVEL`` sets ``service.log_level``.

Levels are parted by two underscores; lists are JSON. A name with a hyphen is meant by the same
name with an underscore. Secrets are refused here: other processes may read them in ``/proc``, and
every child inherits them.
"""

from collections.abc import Mapping
from typing import Any

from pydantic_settings import EnvSettingsSource

from connector.settings.document import Tree
from connector.settings.model import PREFIX, Settings
from connector.settings.report import Path, Problem, dotted
from connector.settings.secrecy import looks_secret, secret_parts

APART = frozenset({f"{PREFIX}CONFIG", f"{PREFIX}SOCKET", f"{PREFIX}TERMINATION_LOG"})
"""Variables of the command line: settings' file, operators' socket, and the exit message's file."""


def read_environment(model: type[Settings], environment: Mapping[str, str]) -> Tree:
    """The tree of all ``PKI_CONNECTOR_…`` variables, each one's name being its place.

    An empty variable means *not given*.
    """
    tree = Tree({}, {}, [])
    source = EnvSettingsSource(model)
    for variable, value in sorted(environment.items()):
        if value and variable.startswith(PREFIX) and variable not in APART:
            _take(source, tree, variable, value)
    return tree


def _take(source: EnvSettingsSource, tree: Tree, variable: str, text: str) -> None:
    path = tuple(variable.removeprefix(PREFIX).lower().split("__"))
    try:
        value = _decoded(source, path, text)
    except (KeyError, ValueError):
        tree.problems.append(_problem(path, variable, "CFG-001", *UNKNOWN))
        return
    if looks_secret(path[-1]) or any(secret_parts(value)) or "-----BEGIN" in text:
        tree.problems.append(_problem(path, variable, "CFG-002", *SECRET))
        return
    branch = tree.values
    for part in path[:-1]:
        branch = branch.setdefault(part, {})
        if not isinstance(branch, dict):
            tree.problems.append(_problem(path, variable, "CFG-001", *UNKNOWN))
            return
    branch[path[-1]] = value
    tree.places[path] = f"environment {variable}"


def _decoded(source: EnvSettingsSource, path: Path, text: str) -> Any:
    """The library decodes one variable: JSON where the setting is a list or a mapping.

    Raises:
        KeyError: when it names no setting, or a whole section.
        ValueError: when it is no JSON where it should be.
    """
    if len(path) == 1:
        raise KeyError
    name = str(path[0])
    value: Any = source.explode_env_vars(
        name,
        source.settings_cls.model_fields[name],
        {PREFIX.lower() + "__".join(map(str, path)): text},
    )
    for part in path[1:]:
        value = value[part]
    return value


UNKNOWN = (
    "names no setting, or its value is not of the kind that the setting needs",
    "Compare the name with `pki-connector config schema`; lists are written as JSON.",
)
SECRET = (
    "a secret must not be in the environment",
    "Mount it as a file and give its path (…_FILE).",
)


def _problem(path: Path, variable: str, code: str, wrong: str, action: str) -> Problem:
    return Problem(
        setting=dotted(path),
        place=f"environment {variable}",
        code=code,
        wrong=wrong,
        action=action,
    )
