"""Why the service ended: the one error to report, out of those of its concurrent parts."""

from collections.abc import Iterator
from pathlib import Path
from traceback import extract_tb

from connector.core.errors import ConnectorError, Permanent

PACKAGE = Path(__file__).parents[1]


def ending(error: Exception) -> ConnectorError:
    """The first error with a code; without one ``SRV-002``, which names class and place only.

    The text of an unknown exception is left out: it may quote what it stumbled over.
    """
    leaves = list(_leaves(error))
    for leaf in leaves:
        if isinstance(leaf, ConnectorError):
            return leaf
    return Permanent("SRV-002", f"{type(leaves[0]).__name__} at {_place(leaves[0])}")


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _place(error: BaseException) -> str:
    """The innermost line of our own that it passed."""
    own = [
        f"{Path(frame.filename).relative_to(PACKAGE.parent)}:{frame.lineno}"
        for frame in extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(PACKAGE)
    ]
    return own[-1] if own else "a library"
