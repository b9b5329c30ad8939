"""Promises of the project about its own files."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = ("run", "testkit", "build", "dev")
FILE_LIMIT = 300
FUNCTION_LIMIT = 50
CODE = re.compile(r"[A-Z0-9]{2,4}-[0-9]{3}")

# Each pattern is split so that this file does not name what it forbids.
FORBIDDEN = {
    "leftover": re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|NotImpl" r"ementedError"),
    "mock": re.compile(r"unittest\.m" r"ock|Magic" r"Mock|monkeypatch\.set" r"attr"),
    "path of one machine": re.compile(r"(?<![\w.])/(ro" r"ot|ho" r"me)/|\.\./sha" r"red"),
    "private key": re.compile(r"BEGIN (RSA |EC |ENCRYPTED )?PRIVATE K" r"EY-----\n?[A-Za-z0-9+/]"),
    "number of an issue": re.compile(r"\bissue #?\d+\b", re.IGNORECASE),
}
SLEEP = re.compile(r"\btime\.sl" r"eep\(|asyncio\.sl" r"eep\((?!0\))")
# Settings of the tools name what they ban.
NAMES_WHAT_IT_BANS = {"pyproject.toml"}


def project_files() -> list[Path]:
    """Every file that git tracks or would track."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / name for name in listing.stdout.splitlines() if (ROOT / name).is_file()]


def python_files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def pins(lock: str) -> dict[str, str]:
    """Name and version of each requirement of a compiled file."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_fixed_by_version_and_hash(lock: str) -> None:
    """A compiled file holds nothing but name==version with at least one SHA-256."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")
    logical = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    lines = [line for line in logical.splitlines() if line.strip()]
    assert len(lines) == len(pins(lock)) > 0
    for line in lines:
        assert re.fullmatch(r"\S+==\S+( ; .+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*", line), line


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").iterdir()), ids=lambda p: p.name)
def test_requirements_name_no_index(path: Path) -> None:
    """Where packages come from is a setting of the machine, never of the project."""
    text = path.read_text("utf-8")
    assert "://" not in text
    for option in ("--index-url", "--extra-index-url", "--find-links", "--trusted-host", "-i "):
        assert option not in text


@pytest.mark.parametrize(("lock", "project"), [("run", "."), ("testkit", "testkit")])
def test_locked_versions_satisfy_what_the_distribution_declares(lock: str, project: str) -> None:
    """A distribution and its requirements file name the same packages, and the lock fits both."""
    declared = {
        canonicalize_name(r.name): r
        for r in map(Requirement, metadata(project)["dependencies"])
        if r.name != "pki-connector"
    }
    direct = packages_of(lock) | (packages_of("run") & set(declared) if lock != "run" else set())
    assert direct == set(declared)
    for name, requirement in declared.items():
        assert pins(lock)[name] in requirement.specifier, name


def metadata(project: str) -> dict[str, Any]:
    """The section ``project`` of a distribution."""
    text = (ROOT / project / "pyproject.toml").read_text("utf-8")
    found: dict[str, Any] = tomllib.loads(text)["project"]
    return found


def packages_of(lock: str) -> set[str]:
    """The packages that a requirements file names by itself."""
    lines = (ROOT / "requirements" / f"{lock}.in").read_text("utf-8").splitlines()
    return {canonicalize_name(line) for line in lines if line and line[0] not in "#-"}


def test_both_distributions_have_one_version() -> None:
    """Each asks for exactly the other."""
    product, testkit = metadata("."), metadata("testkit")
    assert product["version"] == testkit["version"]
    assert f"pki-connector=={product['version']}" in testkit["dependencies"]
    extra = product["optional-dependencies"]["demo"]
    assert extra == [f"pki-connector-testkit=={product['version']}"]


def test_development_uses_the_versions_that_run() -> None:
    """What is tested is what is shipped: dev.txt repeats the other files exactly."""
    dev = pins("dev").items()
    assert pins("run").items() <= pins("testkit").items() <= dev
    assert pins("build").items() <= dev


def test_no_file_holds_what_is_forbidden() -> None:
    """No leftovers, mocks, paths of one machine or private keys; tests never sleep."""
    found = []
    for path in project_files():
        if path.name in NAMES_WHAT_IT_BANS:
            continue
        text = path.read_text("utf-8", errors="replace")
        rules = dict(FORBIDDEN)
        if path.is_relative_to(ROOT / "tests"):
            rules["sleep in a test"] = SLEEP
        found += [
            f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, hit.start()) + 1}: {name}"
            for name, rule in rules.items()
            for hit in rule.finditer(text)
        ]
    assert found == []


def test_files_and_functions_stay_small() -> None:
    """A file that grows past its limit has two reasons to change; so has a function."""
    found = []
    for path in python_files("connector", "testkit", "tests", "bench", "examples"):
        text = path.read_text("utf-8")
        place = path.relative_to(ROOT)
        if (lines := len(text.splitlines())) > FILE_LIMIT:
            found.append(f"{place}: {lines} lines")
        found += [
            f"{place}:{node.lineno} {node.name}: {length} lines"
            for node in functions(ast.parse(text))
            if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LIMIT
        ]
    assert found == []


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def codes_in_code() -> set[str]:
    """Every error code that stands as a text of its own in the program."""
    return {
        node.value
        for path in python_files("connector")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and CODE.fullmatch(node.value)
    }


def catalogue() -> dict[str, dict[str, object]]:
    entries: dict[str, dict[str, object]] = yaml.safe_load(
        (ROOT / "connector" / "errors.yaml").read_text("utf-8")
    )
    return entries


def test_no_advice_points_to_a_detail() -> None:
    """An error need not have one: what to do stands in the catalogue."""
    assert not [
        code for code, entry in catalogue().items() if "See the detail" in str(entry["action"])
    ]


def test_every_code_of_the_program_is_in_the_catalogue() -> None:
    """An operator who meets a code finds its cause and what to do."""
    assert codes_in_code() - set(catalogue()) == set()


def imported_modules() -> set[str]:
    """Every name that an import statement of the programs, or an entry point, may mean."""
    points = [
        group
        for project in map(metadata, (".", "testkit"))
        for group in (project.get("scripts", {}), *project["entry-points"].values())
    ]
    found = {name.partition(":")[0] for group in points for name in group.values()}
    for path in python_files("connector", "testkit", "bench", "docs"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                found |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
            elif isinstance(node, ast.Import):
                found |= {one.name for one in node.names}
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)  # a module that is loaded, or started, by its name
    return found


def test_every_module_is_imported() -> None:
    """A module that nothing imports is dead, even if it has tests; suites are for plug-ins."""
    there = {
        ".".join(path.relative_to(ROOT / root).with_suffix("").parts)
        for root, folder in ((".", "connector"), ("testkit", "testkit/connector_testkit"))
        for path in python_files(folder)
        if path.name != "__init__.py" and "conformance" not in path.parts
    }
    assert there - imported_modules() == set()


def test_every_code_of_the_catalogue_is_used() -> None:
    """The catalogue explains nothing that cannot happen."""
    assert set(catalogue()) - codes_in_code() == set()


def test_every_entry_of_the_catalogue_is_complete() -> None:
    """Each code says its family, its cause and what to do, under a name that fits the pattern."""
    for code, entry in catalogue().items():
        assert CODE.fullmatch(code)
        assert {"title", "family", "cause", "action"} <= set(entry) <= {
            "title", "family", "http", "cause", "action"
        }, code  # fmt: skip
        assert entry["family"] in {"rejected", "transient", "permanent"}, code
