"""One subject in trouble holds up nobody else, in the embedded journal."""

from tests.worker.bystanders import BystanderCases


class TestBystanders(BystanderCases):
    pass
