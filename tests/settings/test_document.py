"""Reading YAML."""

from pathlib import Path

import pytest

from connector.settings.document import LARGEST, read_document


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a.yaml"


def test_words_stay_words(file: Path) -> None:
    """``off``, ``no``, times, dates and leading zeros are text; only true and false are truth."""
    file.write_text("a: off\nb: no\nc: 12:30\nd: 2026-11-20\ne: true\nf: 010\ng: 1.5\nh: 1e3\n")
    assert read_document(file).values == {
        "a": "off",
        "b": "no",
        "c": "12:30",
        "d": "2026-11-20",
        "e": True,
        "f": "010",
        "g": 1.5,
        "h": "1e3",
    }


def test_places_are_lines(file: Path) -> None:
    """Each path knows its line, also inside lists."""
    file.write_text("a:\n  b:\n    - x\n    - y: 1\n")
    places = read_document(file).places
    assert places["a", "b"] == f"{file}:2"
    assert places["a", "b", 1, "y"] == f"{file}:4"


def test_an_empty_value_is_not_given(file: Path) -> None:
    """A name without a value, or with null, counts as not given."""
    file.write_text("a:\nb: null\nc: ~\nd: ''\n")
    assert read_document(file).values == {"d": ""}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("a: 1\nb: 2\na: 3\n", "appears twice"),
        ("a: {[b]: 1}\n", "has a key that is no text"),
        ("a:\n  {b: c}: 1\n", "has a key that is no text"),
        ("a: &x {b: 1}\nc: *x\n", "is an alias"),
        ("a: [1\n", "is not YAML (UTF-8)"),
        ("a:\n\tb: 1\n", "is indented with a tab, which YAML does not allow"),
        ("a:\n  b: 1\n\tc: 1\n", "is indented with a tab, which YAML does not allow"),
        ("a: !!python/object:os.system x\n", "has a tag that does not fit its value"),
        ("a: !!int secret-word\n", "has a tag that does not fit its value"),
        ("a: " + "9" * 5000, "is not YAML (UTF-8)"),
        ("a: " + "[" * 100_000, "is not YAML (UTF-8)"),
        ("- 1\n", "must be a mapping"),
        ("a: \ud800", "is not YAML (UTF-8)"),
        ("#" * (LARGEST + 1), "is larger than 1024 KiB"),
    ],
)
def test_a_faulty_file_is_a_problem(file: Path, text: str, wrong: str) -> None:
    """What cannot be read is one problem with its place; nothing is raised."""
    file.write_bytes(text.encode(errors="surrogatepass"))
    (problem,) = read_document(file).problems
    assert problem.wrong == wrong
    assert problem.place.startswith(str(file))
    assert problem.setting in {"a", "c", "this line", "the file"}
    assert (problem.setting == "the file") == (problem.place == str(file))


def test_a_missing_file_is_a_problem(file: Path) -> None:
    """A missing file is reported as such."""
    (problem,) = read_document(file).problems
    assert (problem.code, problem.wrong) == ("CFG-003", "cannot be read: No such file or directory")
