"""Proof that a suite ran: pytest collects nothing from a class that it takes for abstract."""

import pytest


def assert_collected(module: pytest.Module, suite: type) -> int:
    """Check that one subclass of ``suite`` in this test module has every case of the suite.

    Args:
        module: the calling test's module, ``request.node.parent``.
        suite: the suite class.

    Returns:
        The number of cases.
    """
    cases = {name for name in dir(suite) if name.startswith("test_")}
    found = [_names(node) for node in module.collect() if _is_subclass(node, suite)]
    assert cases, f"{suite.__name__} has no cases"
    assert found, f"no subclass of {suite.__name__} is collected in {module.name}"
    for names in found:
        assert not cases - names, f"not collected: {sorted(cases - names)}"
    return len(cases)


def _is_subclass(node: object, suite: type) -> bool:
    return isinstance(node, pytest.Class) and issubclass(node.cls, suite)


def _names(node: object) -> set[str]:
    assert isinstance(node, pytest.Class)
    return {item.function.__name__ for item in node.collect() if isinstance(item, pytest.Function)}
