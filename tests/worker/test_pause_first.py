"""A pause comes before everything else, in the embedded journal."""

from tests.worker.pauses import PauseCases


class TestPauseFirst(PauseCases):
    pass
