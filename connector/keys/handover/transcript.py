"""The output of one hand-over process, split into lines and limited in size."""

from connector.keys.handover.wire import ANSWER_LIMIT, Mark

_MARKS = {mark.value.encode() for mark in Mark}


class Transcript:
    """Marks, then at most one answer; ``overflowed`` if there was more than is allowed."""

    def __init__(self) -> None:
        self.overflowed = False
        self._lines: list[bytes] = []
        self._rest = b""
        self._received = 0

    def feed(self, piece: bytes) -> list[Mark]:
        """Add bytes, and return the marks in them. Nothing beyond the limit is kept."""
        self._received += len(piece)
        if self._received > ANSWER_LIMIT:
            self.overflowed = True
            return []
        *lines, self._rest = (self._rest + piece).split(b"\n")
        self._lines += lines
        return [Mark(line.decode()) for line in lines if line in _MARKS]

    def close(self) -> None:
        """End of output; a last line without a line break counts as one."""
        if self._rest:
            self._lines.append(self._rest)
            self._rest = b""

    @property
    def is_complete(self) -> bool:
        """Whether there is an answer, valid or not."""
        return self.overflowed or bool(self.answers)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written at all."""
        return not self._received

    @property
    def answers(self) -> list[bytes]:
        """The lines that are no marks."""
        return [line for line in self._lines if line not in _MARKS]

    @property
    def sends(self) -> bool:
        """Whether an upload is under way: none was answered since it began."""
        sending, waiting = Mark.SENDING.value.encode(), Mark.WAITING.value.encode()
        last = next((line for line in reversed(self._lines) if line in {sending, waiting}), b"")
        return last == sending

    def count(self, mark: Mark) -> int:
        """How often a mark was reported."""
        return self._lines.count(mark.value.encode())
