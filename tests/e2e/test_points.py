"""The list of crash points and the program agree."""

import ast
import re
from pathlib import Path

import connector
from connector.crash import POINTS

NAMED = re.compile(r"(loop|act|handover)\.[a-z_]+")


def passed() -> set[str]:
    """What stands as the only argument of a call, and looks like a point."""
    files = Path(connector.__file__).parent.rglob("*.py")
    calls = (
        node
        for path in files
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords
    )
    arguments = (call.args[0] for call in calls)
    texts = (one.value for one in arguments if isinstance(one, ast.Constant))
    return {text for text in texts if isinstance(text, str) and NAMED.fullmatch(text)}


def test_every_listed_point_is_passed_and_every_passed_point_listed() -> None:
    """A point that is only listed would be tested by nothing; one not listed could not be armed."""
    assert passed() == set(POINTS)
    assert len(POINTS) == len(set(POINTS))
