"""States in the owner's hand are those that the journal holds."""

from collections.abc import Sequence

from connector.core.model import SubjectKey
from connector.core.states import HolderState, State
from connector.worker.state_cache import StateCache


class Stored:
    """A journal's states; ``asked`` tells for what it was asked."""

    def __init__(self, *states: State) -> None:
        self.states = {state.key: state for state in states}
        self.asked: list[SubjectKey] = []

    async def load(self, keys: Sequence[SubjectKey]) -> dict[SubjectKey, State]:
        self.asked += keys
        return {key: self.states[key] for key in keys if key in self.states}


def state(number: int, version: int = 1) -> HolderState:
    return HolderState(key=f"corp/user/{number}", version=version)


async def test_what_was_read_or_written_is_not_read_again() -> None:
    """The last that was written counts; who is unknown is asked for each time."""
    first, second, third = state(1), state(2), "corp/user/3"
    journal = Stored(first, second)
    recent = StateCache(journal)
    keys = [first.key, second.key, third]
    assert await recent.load(keys) == journal.states
    newer = state(2, version=2)
    recent.written({newer.key: newer}, frozenset())
    assert await recent.load(keys) == {first.key: first, newer.key: newer}
    assert journal.asked == [*keys, third]


async def test_who_is_gone_is_looked_for_in_the_journal() -> None:
    """A commit that takes a subject out leaves nothing of it in hand."""
    one = state(1)
    journal = Stored()
    recent = StateCache(journal)
    recent.written({one.key: one}, frozenset())
    recent.written({one.key: state(1, version=2)}, frozenset({one.key}))
    assert await recent.load([one.key]) == {}
    assert journal.asked == [one.key]


async def test_in_doubt_everything_is_read_again() -> None:
    """After a failed commit or another owner the journal alone knows."""
    journal = Stored(state(1, version=7))
    recent = StateCache(journal)
    recent.written({"corp/user/1": state(1)}, frozenset())
    recent.forget()
    assert await recent.load(["corp/user/1"]) == {"corp/user/1": state(1, version=7)}


async def test_only_so_many_are_kept() -> None:
    """Those that were used last stay; what one call asks for is given whole."""
    states = [state(number) for number in range(5)]
    journal = Stored(*states)
    recent = StateCache(journal, most=3)
    keys = [one.key for one in states]
    assert await recent.load(keys) == journal.states
    journal.asked.clear()
    await recent.load([keys[2]])
    await recent.load([keys[0]])
    await recent.load(keys[2:])
    assert journal.asked == [keys[0], keys[3]]
