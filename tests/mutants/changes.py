"""Small faults that can be put into a source file: one changed operator, constant or statement.

Each change replaces one span of the text, so that comments stay and a diff shows what changed.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeGuard, cast

Text = str | None
"""What stands for a node instead; nothing, if no change of that kind applies to it."""

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
SIGNS: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
REMOVABLE = (ast.AugAssign, ast.Raise)
"""Besides calls. A name that is not assigned fails wherever it is read, which shows nothing."""


@dataclass(frozen=True)
class Change:
    """Bytes of a file to replace, and by what."""

    line: int
    start: int
    end: int
    text: str

    def applied(self, source: str) -> str:
        """The file with this change."""
        raw = source.encode()
        return (raw[: self.start] + self.text.encode() + raw[self.end :]).decode()


def changes(source: str) -> Iterator[Change]:
    """Every change that can be made to a source file, in a fixed order."""
    lines = [0]
    for line in source.encode().splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    for node in _code(ast.parse(source)):
        for kind in KINDS:
            if (text := kind(node)) is not None:
                spot = cast("ast.expr | ast.stmt", node)
                start = lines[spot.lineno - 1] + spot.col_offset
                end = lines[(spot.end_lineno or spot.lineno) - 1] + (spot.end_col_offset or 0)
                yield Change(spot.lineno, start, end, text)


def _code(node: ast.AST, *, inside: bool = False) -> Iterator[ast.AST]:
    """The nodes that decide what happens: no annotation, and no statement outside a function.

    A protocol is never run. A decorator says how a class may be used, ``frozen=False`` allows what
    is not done. A fallback (``time or 0``) means *none*, which 1 would mean as well.
    """
    if isinstance(node, ast.ClassDef) and "Protocol" in {ast.unparse(base) for base in node.bases}:
        return
    fallback = node.values[-1] if _is_or(node) else None
    inside = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "decorator_list", "returns", "type_params"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not (child is fallback and _is_zero(child)):
                if inside or not isinstance(child, ast.stmt):
                    yield child
                yield from _code(child, inside=inside)


def _is_or(node: ast.AST) -> TypeGuard[ast.BoolOp]:
    return isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or)


def _is_zero(node: object) -> bool:
    return isinstance(node, ast.Constant) and node.value == 0


def _is_none_test(node: ast.expr) -> bool:
    """Whether something is compared with None. What both of two such tests let pass, mypy finds."""
    return isinstance(node, ast.Compare) and ast.unparse(node).endswith(
        (" is None", " is not None")
    )


def _comparison(node: ast.AST) -> Text:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        other = COMPARISONS[type(node.ops[0])]()
        return ast.unparse(ast.Compare(node.left, [other, *node.ops[1:]], node.comparators))
    return None


def _connective(node: ast.AST) -> Text:
    if isinstance(node, ast.BoolOp) and not all(_is_none_test(one) for one in node.values):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return f"({ast.unparse(ast.BoolOp(other, node.values))})"
    return None


def _negation(node: ast.AST) -> Text:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return f"({ast.unparse(node.operand)})"
    return None


def _sign(node: ast.AST) -> Text:
    if isinstance(node, ast.BinOp) and type(node.op) in SIGNS:
        return ast.unparse(ast.BinOp(node.left, SIGNS[type(node.op)](), node.right))
    return None


def _constant(node: ast.AST) -> Text:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return repr(not node.value)
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return repr(node.value + 1)
    return None


def _result(node: ast.AST) -> Text:
    if isinstance(node, ast.Return) and node.value is not None:
        false = isinstance(node.value, ast.Constant) and node.value.value in {None, False}
        return None if false else "return None"
    return None


def _removal(node: ast.AST) -> Text:
    call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await)
    return "pass" if call or isinstance(node, REMOVABLE) else None


KINDS: tuple[Callable[[ast.AST], Text], ...] = (
    _comparison,
    _connective,
    _negation,
    _sign,
    _constant,
    _result,
    _removal,
)
