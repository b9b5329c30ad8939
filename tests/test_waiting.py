"""No test waits with a limit of its own: what must come in time has ``tests/patience.py``."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
WAITING = frozenset({"timeout", "timeout_at", "wait", "join", "settimeout"})
"""Calls whose first argument is a limit in seconds."""
BY_KEYWORD = WAITING | {
    "check_call", "check_output", "communicate", "create_connection", "get", "result", "run",
    "select", "wait_for",
}  # fmt: skip
"""Calls whose ``timeout=`` is one; elsewhere it is a setting of what is tested."""
CLOCKS = frozenset({"monotonic", "time", "perf_counter"})
LIMITS = frozenset({"within", "timeout"})
EXPECTED = frozenset({"raises", "suppress"})


def name_of(node: ast.expr) -> str:
    """The last part of a dotted name."""
    return getattr(node, "attr", getattr(node, "id", ""))


def constants(tree: ast.Module) -> dict[str, ast.expr]:
    """What the names of a module stand for."""
    return {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def fixed(node: ast.expr, named: dict[str, ast.expr]) -> bool:
    """Whether an expression is the same number on every machine, and more than 0."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float) and node.value > 0
    if isinstance(node, ast.Name):
        return node.id in named and fixed(named[node.id], named)
    if isinstance(node, ast.BinOp):
        return fixed(node.left, named) and fixed(node.right, named)
    return False


def limits(node: ast.AST) -> Iterator[ast.expr]:
    """Expressions that say how long something is waited for."""
    if isinstance(node, ast.Call):
        called = name_of(node.func)
        if called in WAITING:
            yield from node.args[:1]
        if called == "wait_for" and name_of_owner(node) == "asyncio":
            yield from node.args[1:]
        known = {"within", "timeout"} if called in BY_KEYWORD else {"within"}
        yield from (one.value for one in node.keywords if one.arg in known)
    elif isinstance(node, ast.arguments):
        both = zip(reversed(node.args), reversed(node.defaults), strict=False)
        yield from (value for argument, value in both if argument.arg in LIMITS)
        more = zip(node.kwonlyargs, node.kw_defaults, strict=True)
        yield from (value for argument, value in more if value and argument.arg in LIMITS)
    elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Lt | ast.LtE):
        left = node.left
        if isinstance(left, ast.BinOp) and isinstance(left.left, ast.Call):
            yield from node.comparators if name_of(left.left.func) in CLOCKS else ()


def name_of_owner(call: ast.Call) -> str:
    """Whose method is called; nothing for a function."""
    return name_of(call.func.value) if isinstance(call.func, ast.Attribute) else ""


def expects_a_timeout(node: ast.AST) -> bool:
    """Whether the end of the limit is what is tested (or shrugged off) in this block."""
    return isinstance(node, ast.With | ast.AsyncWith) and any(
        isinstance(call := item.context_expr, ast.Call)
        and name_of(call.func) in EXPECTED
        and any(name_of(error) == "TimeoutError" for error in call.args)
        for item in node.items
    )


def own_limits(node: ast.AST, named: dict[str, ast.expr]) -> Iterator[int]:
    """The lines of limits that no measured speed scales."""
    if expects_a_timeout(node):
        return
    yield from (limit.lineno for limit in limits(node) if fixed(limit, named))
    for child in ast.iter_child_nodes(node):
        yield from own_limits(child, named)


def lines(text: str) -> list[int]:
    tree = ast.parse(text)
    return sorted(own_limits(tree, constants(tree)))


def test_every_limit_is_scaled_by_the_speed_of_the_machine() -> None:
    """A number of its own is kept on a quiet machine, and broken by chance on a busy one."""
    found = {
        f"{path.relative_to(TESTS)}:{line}"
        for path in TESTS.rglob("*.py")
        for line in lines(path.read_text("utf-8"))
    }
    assert found == set()


@pytest.mark.parametrize(
    "text",
    [
        "async def f():\n    async with asyncio.timeout(20): pass",
        "await asyncio.wait_for(coming, 5)",
        "subprocess.run(command, timeout=60)",
        "LIMIT = 10.0\nawait until('it comes', look, within=LIMIT * 2)",
        "async def gone(pid: int, within: float = 5.0): pass",
        "assert self.gate.wait(10)",
        "assert loop.time() - started < 1.5",
    ],
)
def test_a_limit_of_its_own_is_found(text: str) -> None:
    """In each form in which one was written so far."""
    assert len(lines(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "async def f():\n    async with asyncio.timeout(PATIENCE): pass",
        "LIMIT = 5.0 * SLOWNESS\nsubprocess.run(command, timeout=LIMIT)",
        "await ca.wait_for(Operation.LIST, 8)",
        "with pytest.raises(TimeoutError):\n    gone(pid, within=1.1)",
        "place.upstream(timeout=0.2)",
        "select.select([pipe], [], [], 0)",
    ],
)
def test_counts_settings_and_expected_ends_are_none(text: str) -> None:
    """Nothing there has to come within the number."""
    assert lines(text) == []
