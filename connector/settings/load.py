"""Reading and checking the settings: file, environment, plug-ins → :class:`Settings`."""

from collections.abc import Iterator, Mapping
from pathlib import Path as File
from typing import NamedTuple

from pydantic import ValidationError

from connector.catalogue import catalogue
from connector.settings.certificates import endings, fault_of, now
from connector.settings.checks import cross_checks
from connector.settings.contradictions import Found, doubts, mappings, unusable_text
from connector.settings.document import THIS_LINE, WHOLE_FILE, Tree, read_document
from connector.settings.environment import read_environment
from connector.settings.faults import place_of, problems_of
from connector.settings.merge import absolute, merge, opened
from connector.settings.model import Settings, settings_model
from connector.settings.plugins import Plugins
from connector.settings.report import Path, Problem, SettingsRefused, dotted
from connector.settings.service import Admin


class Checked(NamedTuple):
    """Result of a check: the settings, None while they cannot be used; problems; places.

    ``places`` tells where each value came from. ``warnings`` keep nothing from starting.
    """

    settings: Settings | None
    problems: tuple[Problem, ...]
    places: dict[Path, str]
    warnings: tuple[Problem, ...] = ()


def load(file: File | None, environment: Mapping[str, str], plugins: Plugins) -> Settings:
    """The settings, ready to use.

    Args:
        file: YAML file; None: everything comes from the environment.
        environment: the process's variables.
        plugins: what is installed (:func:`connector.settings.plugins.installed`).

    Raises:
        SettingsRefused: with every fault that was found.
    """
    checked = check(file, environment, plugins)
    if checked.settings is None:
        raise SettingsRefused(checked.problems)
    return checked.settings


def check(file: File | None, environment: Mapping[str, str], plugins: Plugins) -> Checked:
    """The same without raising, for those who want to see everything."""
    return check_with(settings_model(plugins), file, environment, plugins)


def check_with(
    model: type[Settings], file: File | None, environment: Mapping[str, str], plugins: Plugins
) -> Checked:
    """The same with the model of these plug-ins, which takes longer to make than to use."""
    tree = _given(model, file, environment)
    if unread := _unread(tree):
        return Checked(None, unread, tree.places)
    problems = [*tree.problems, *_broken(plugins, tree)]
    settings = None
    try:
        settings = model(**tree.values)
    except ValidationError as error:
        told = {problem.setting for problem in tree.problems}
        problems += [one for one in problems_of(error, tree, model) if one.setting not in told]
    problems += [_problem(found, tree) for found in cross_checks(tree.values)]
    usable = settings if not problems else None
    doubtful = [_problem(found, tree) for found in doubts(tree.values)]
    warnings = () if usable is None else (*doubtful, *_ending(usable, tree))
    return Checked(usable, tuple(sorted(problems, key=_order)), tree.places, warnings)


def _ending(settings: Settings, tree: Tree) -> Iterator[Problem]:
    """Own certificates that have ended or end soon: the service starts with them all the same."""
    for certificate, ends in endings(settings):
        if fault := fault_of(ends, now()):
            code, wrong = fault
            action = catalogue()[code].action
            yield _problem(Found(certificate.setting, code, wrong, action), tree)


def _unread(tree: Tree) -> tuple[Problem, ...]:
    """What is wrong with the file as a whole, or with its text: then nothing else is looked at."""
    whole = (problem for problem in tree.problems if problem.setting in {WHOLE_FILE, THIS_LINE})
    return (*whole, *(_problem(found, tree) for found in unusable_text(tree.values)))


def _order(problem: Problem) -> tuple[str, int, str]:
    """Line by line, as one goes through the file."""
    place, _, line = problem.place.rpartition(":")
    return (place, int(line), problem.setting) if line.isdecimal() else ("", 0, problem.setting)


def _given(model: type[Settings], file: File | None, environment: Mapping[str, str]) -> Tree:
    below = Tree({}, {(): "no file (--config)"}, [])
    if file is not None:
        document = read_document(file)
        below = document._replace(values=absolute(document.values, file.parent))
    above = read_environment(model, environment)
    tree = merge(below, above._replace(values=absolute(above.values, File())))
    return tree._replace(values=opened(model, tree.values))


def _broken(plugins: Plugins, tree: Tree) -> list[Problem]:
    """Plug-ins that are wanted and installed but could not be loaded."""
    wanted = [
        ((section, name, "type"), entry.get("type"))
        for section in ("uems", "cas")
        for name, entry in mappings(tree.values, section)
    ]
    return [
        _problem(
            Found(
                path,
                "CFG-004",
                f"the plug-in cannot be loaded ({plugins.broken[kind]})",
                "Install it again, with what it needs.",
            ),
            tree,
        )
        for path, kind in wanted
        if isinstance(kind, str) and kind in plugins.broken
    ]


def _problem(found: Found, tree: Tree) -> Problem:
    return Problem(
        setting=dotted(found.path),
        place=place_of(tree, found.path),
        code=found.code,
        wrong=found.wrong,
        action=found.action,
    )


def admin_socket(file: File | None, environment: Mapping[str, str]) -> File:
    """The operators' socket alone, from settings that need not be good otherwise.

    So that a command can reach the service even if it may not read the other settings.

    Raises:
        SettingsRefused: when the file cannot be read at all, or has something else there.
    """
    tree = _given(Settings, file, environment)
    if unread := _unread(tree):
        raise SettingsRefused(unread)
    branch: object = tree.values
    path: Path = ()
    for part in ("service", "admin", "socket"):
        if branch is None:
            return Admin().socket
        if not isinstance(branch, dict):
            raise SettingsRefused((_problem(_wrong_kind(path, "a mapping"), tree),))
        path, branch = (*path, part), branch.get(part)
    if branch is None:
        return Admin().socket
    if not isinstance(branch, str):
        raise SettingsRefused((_problem(_wrong_kind(path, "the path of a socket"), tree),))
    return File(branch)


def _wrong_kind(path: Path, wanted: str) -> Found:
    return Found(path, "CFG-001", f"is not {wanted}", f"Write {wanted}, or leave it out.")
