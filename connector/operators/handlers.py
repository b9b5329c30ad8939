"""The functions that answer the verbs; types are checked where one is given, not at each call."""

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel

from connector.operators.verbs.table import AnyVerb
from connector.operators.verbs.verb import Operator, Stream, Verb

Q = TypeVar("Q", bound=BaseModel)
A = TypeVar("A", bound=BaseModel)
Answer = Coroutine[Any, Any, A]


class Caller(NamedTuple):
    """Who asks; the same ``key`` again (chosen by the caller's program) acts only once."""

    operator: Operator
    key: str = ""


class Handlers:
    """By verb, what answers it."""

    def __init__(self) -> None:
        self._answer: dict[AnyVerb, Callable[[Any, Caller], Answer[BaseModel]]] = {}
        self._stream: dict[AnyVerb, Callable[[Any], AsyncIterator[BaseModel]]] = {}

    def ask(self, verb: Verb[Q, A], answer: Callable[[Q], Answer[A]]) -> None:
        """Answer a verb for which it does not matter who asks."""
        self._answer[verb] = lambda asked, _: answer(asked)

    def act(self, verb: Verb[Q, A], answer: Callable[[Q, Caller], Answer[A]]) -> None:
        """Answer a verb whose caller is recorded."""
        self._answer[verb] = answer

    def stream(self, verb: Stream[Q, A], answer: Callable[[Q], AsyncIterator[A]]) -> None:
        """Answer a verb with records one after another."""
        self._stream[verb] = answer

    def answer(self, verb: AnyVerb, asked: BaseModel, caller: Caller) -> Answer[BaseModel]:
        """The answer of a verb with one."""
        return self._answer[verb](asked, caller)

    def records(self, verb: AnyVerb, asked: BaseModel) -> AsyncIterator[BaseModel]:
        """The answers of a verb with many."""
        return self._stream[verb](asked)

    @property
    def verbs(self) -> set[AnyVerb]:
        """The verbs that have an answer."""
        return {*self._answer, *self._stream}
