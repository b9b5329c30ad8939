"""A verb: one thing that operators may ask or do, as plain data."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, Field, StringConstraints

from connector.core.model import LONGEST_KEY, Millis, Record

Q = TypeVar("Q", bound=BaseModel)
A = TypeVar("A", bound=BaseModel)

Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=512)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=512)]
Wanted = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_KEY)
]
"""A subject as people name it: its key, or its id, user name or mail if only one fits."""
ErrorCode = Annotated[str, Field(pattern=r"^[A-Z0-9]{2,4}-[0-9]{3}$")]
KEY_HEADER = "Idempotency-Key"
LONGEST_NAME = 128
"""Characters of the name that an operator gives themselves."""

LARGEST = 2**63 - 1
"""Of an integer that the journal's database can hold."""
Number = Annotated[int, Field(ge=0, le=LARGEST)]
"""Count, sequence number or partition in a question."""
Instant = Annotated[Millis, Field(ge=-LARGEST - 1, le=LARGEST)]
"""Time in a question."""


class Operator(Record):
    """The caller: the verified user id of the peer, and the stated name, unverified."""

    uid: int
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_NAME)] = ""

    @property
    def by(self) -> str:
        """The caller as named in the audit log."""
        return f"local:{self.uid} as {self.name}" if self.name else f"local:{self.uid}"


class Nothing(Record):
    """The question of a verb that needs none."""


class Method(StrEnum):
    """``GET`` carries the question in the address, ``POST`` as JSON."""

    GET = "GET"
    POST = "POST"


@dataclass(frozen=True, eq=False)
class Declared(Generic[Q, A]):
    """What all verbs have.

    Args:
        name: the verb in one word, stable.
        method: how it is asked.
        path: its address; verbs that share it differ by ``act`` in their question.
        takes: the model of the question.
        gives: the model of the answer.
        acts: whether it changes anything. What acts may have an ``Idempotency-Key``, and goes on
            when its caller has left; what only reads ends with its caller.
        no_command: why no command uses it.
    """

    name: str
    method: Method
    path: str
    takes: type[Q]
    gives: type[A]
    acts: bool = False
    no_command: str = ""


class Verb(Declared[Q, A]):
    """A verb that is answered with one record."""


class Stream(Declared[Q, A]):
    """A verb that is answered with any number of records, one per line."""
