"""Do an act of several parts one by one; a refusal of one part does not stop the others."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from connector.core.errors import Permanent, Scope

T = TypeVar("T")


async def each(parts: Iterable[T], act: Callable[[T], Awaitable[None]], done: list[T]) -> None:
    """Do an act for each part; those that succeeded are added to ``done`` at once.

    Raises:
        Permanent: the first refusal of a single part, after all have been tried.
        ConnectorError: any other failure, at once: it would hit the other parts as well.
    """
    refused: Permanent | None = None
    for part in parts:
        try:
            await act(part)
        except Permanent as error:
            if error.scope is not Scope.SUBJECT:
                raise
            refused = refused or error
        else:
            done.append(part)
    if refused is not None:
        raise refused
