"""A value of any kind in the place of a setting is reported or accepted; nothing raises."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from connector.settings.effective import effective
from connector.settings.load import Checked, check_with
from connector.settings.model import settings_model
from connector.settings.plugins import Plugins
from connector.settings.report import Path as SettingPath
from connector.settings.report import dotted
from tests.settings.examples import Change, Check, Values

STAND_INS: dict[str, Any] = {
    "text": "text",
    "number": 7,
    "list": ["a"],
    "nested": [["a"], {"a": "b"}],
    "mapping": {"a": "b"},
    "null": None,
    "truth": True,
}
KAFKA = {
    "type": "kafka",
    "bootstrap_servers": ["kafka.example.com:9093"],
    "security": {
        "tls": {"ca_file": "ca.pem", "certificate_file": "a.pem", "key_file": "a.key"},
        "sasl": {"mechanism": "PLAIN", "user": "u", "password_file": "p"},
    },
}


def paths(values: Any, path: SettingPath = ()) -> Iterator[SettingPath]:
    """Each section, list and single value below ``values``."""
    items: Any = ()
    if isinstance(values, dict):
        items = values.items()
    elif isinstance(values, list):
        items = enumerate(values)
    for key, inner in items:
        yield (*path, key)
        yield from paths(inner, (*path, key))


def replaced(values: Values, path: SettingPath, value: Any) -> Values:
    copy = deepcopy(values)
    branch: Any = copy
    for part in path[:-1]:
        branch = branch[part]
    branch[path[-1]] = value
    return copy


@pytest.fixture
def full(good: Values) -> Values:
    """The example, with what may be left out as well."""
    tls = good["service"]["intake"]["tls"]
    pair = {"client_certificate_file": tls["certificate_file"], "client_key_file": tls["key_file"]}
    good["service"] |= {
        "admin": {"socket": "operators.sock", "uids": [1]},
        "observe": {"listen": {"host": "127.0.0.1", "port": 0}},
    }
    good["service"]["intake"]["plain_from"] = ["192.0.2.1"]
    good["audit"]["old_key_files"] = ["audit.key"]
    good["uems"]["ws-one"] |= {**pair, "pull": {"every": "30s"}}
    good["cas"]["main"] |= {**pair, "ca_file": tls["certificate_file"]}
    good["routes"]["staff"] |= {
        "groups": ["staff"],
        "gates": {"platforms": ["apple"]},
        "issuers_file": tls["certificate_file"],
        "retry": {"first": "1s", "cap": "1m"},
    }
    good["routes"]["late"] = {"uem": "ws-one", "ca": "main", "groups": ["late"]}
    return good


@pytest.fixture
def checked(tmp_path: Path, plugins: Plugins) -> Check:
    """As the fixture of this name for all tests, with one model for all checks of a test."""
    model, file = settings_model(plugins), tmp_path / "connector.yaml"

    def run(values: Values | str) -> Checked:
        file.write_text(values if isinstance(values, str) else json.dumps(values))
        return check_with(model, file, {}, plugins)

    return run


@pytest.mark.parametrize("kind", STAND_INS)
def test_any_value_in_any_place_is_reported_or_taken(
    checked: Check, full: Values, kind: str
) -> None:
    """The check raises nothing; what it finds has a code and a place, and it says what is wrong."""
    for journal in ({"type": "sqlite", "path": "journal.sqlite"}, KAFKA):
        values = full | {"journal": journal}
        places = list(paths(values if journal is not KAFKA else {"journal": journal}))
        for path in places:
            _reported_or_taken(checked(replaced(values, path, STAND_INS[kind])), path)


def _reported_or_taken(report: Checked, path: SettingPath) -> None:
    assert report.problems or effective(report), dotted(path)
    for problem in report.problems:
        assert problem.code.startswith("CFG-"), (dotted(path), problem)
        assert "connector.yaml" in problem.place, (dotted(path), problem)
        assert problem.wrong, dotted(path)
        assert problem.action, dotted(path)


def test_text_that_no_name_can_hold_is_refused(checked: Check, full: Values) -> None:
    """In each place, by the setting's name: a path or a name with it would fail when it is used."""
    texts = [path for path in paths(full) if isinstance(_at(full, path), str)]
    assert ("service", "admin", "socket") in texts
    for index, path in enumerate(texts):
        text = "a\0b" if index % 2 else "a\ud800b"  # half of a pair of UTF-16
        (problem,) = checked(replaced(full, path, text)).problems
        assert (problem.setting, problem.code) == (dotted(path), "CFG-001")
        assert "character" in problem.wrong


def _at(values: Any, path: SettingPath) -> Any:
    for part in path:
        values = values[part]
    return values


@pytest.mark.parametrize(
    ("path", "value", "setting"),
    [
        ("uems", "text", "uems"),
        ("cas", "text", "cas"),
        ("routes.staff.uem", ["a"], "routes.staff.uem"),
        ("uems.ws-one.client_certificate_file", ["a"], "uems.ws-one.client_certificate_file"),
        ("service.intake.tls.key_file", 7, "service.intake.tls.key_file"),
        ("service.intake.tls.key_file", {"a": "b"}, "service.intake.tls.key_file"),
        ("service.intake.listen.host", ["a"], "service.intake.listen.host"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(
    checked: Check, changed: Change, path: str, value: Any, setting: str
) -> None:
    """Among the faults is the one of the setting that is of the wrong kind, at its line."""
    problems = checked(changed(path, value)).problems
    problem = next(one for one in problems if one.setting == setting)
    assert problem.code == "CFG-001"
    assert problem.place.rpartition(":")[2].isdecimal()


TAGGED: dict[str, Callable[[str], str]] = {
    name: f"!!{name} {{}}".format
    for name in ("timestamp", "binary", "bool", "int", "float", "null", "set", "python/name:os")
}


@pytest.mark.parametrize("text", ["zzz", "''"])
@pytest.mark.parametrize("tag", TAGGED)
def test_a_tag_that_does_not_fit_its_value_is_refused(checked: Check, tag: str, text: str) -> None:
    """At its line, without the value."""
    report = checked(f"audit:\n  key_file: {TAGGED[tag](text)}\n")
    (problem,) = [one for one in report.problems if one.setting == "audit.key_file"]
    assert (problem.code, problem.place.rpartition(":")[2]) == ("CFG-001", "2")
    assert "zzz" not in str(report.problems)
