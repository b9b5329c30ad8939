"""The faults that `make mutants` puts into the core are the ones that it promises."""

import pytest

from tests.mutants.changes import changes

SOURCE = """\
LIMIT: Literal[3] = 20

def due(self, now: int) -> bool:
    '''Whether it is time, é.'''
    if not self.paused and now - self.last >= LIMIT:
        self.count += 1
        self.log("due", now)
        return True
    raise NotDue("no")
"""


def test_each_kind_of_change_is_made_where_it_applies() -> None:
    lines = SOURCE.splitlines()
    changed = [
        (one.line, one.applied(SOURCE).splitlines()[one.line - 1].strip())
        for one in changes(SOURCE)
    ]
    assert sorted(changed) == sorted(
        [
            (1, "LIMIT: Literal[3] = 21"),
            (5, "if (not self.paused or now - self.last >= LIMIT):"),
            (5, "if (self.paused) and now - self.last >= LIMIT:"),
            (5, "if not self.paused and now - self.last > LIMIT:"),
            (5, "if not self.paused and now + self.last >= LIMIT:"),
            (6, "pass"),
            (6, "self.count += 2"),
            (7, "pass"),
            (8, "return None"),
            (8, "return False"),
            (9, "pass"),
        ]
    )
    assert all(
        one.applied(SOURCE).splitlines()[: one.line - 1] == lines[: one.line - 1]
        for one in changes(SOURCE)
    )


def test_a_statement_of_several_lines_is_removed_as_a_whole() -> None:
    source = "def f():\n    g(\n        a,\n    )\n    h = 1\n"
    texts = [one.applied(source) for one in changes(source)]
    assert "def f():\n    pass\n    h = 1\n" in texts


@pytest.mark.parametrize(
    "source",
    [
        "def f(a: Literal[1]) -> Literal[2]:\n    return None\n",
        "class Port(Protocol):\n    def f(self, number: int = 1) -> None: ...\n",
        "async def f():\n    a = later or 0\n",
        "@dataclass(frozen=True, slots=True)\nclass Fact:\n    effect: Effect\n",
    ],
)
def test_what_changes_nothing_is_left_out(source: str) -> None:
    assert [one for one in changes(source) if "and" not in one.text] == []


def test_what_mypy_finds_is_left_out() -> None:
    """Only behind tests of both are both there for certain."""
    source = "def f():\n    if a is None or b.c is not None:\n        g()\n"
    assert [one for one in changes(source) if "and" in one.text] == []
