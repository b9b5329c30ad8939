"""One subject in trouble holds up no other, in the embedded journal."""

from tests.worker.bystanders import BystanderCases


class TestBystanders(BystanderCases):
    pass
