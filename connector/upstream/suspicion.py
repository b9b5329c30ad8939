"""Telling an upstream that is at fault from one that is at fault with one resource.

No answer in time, or a status 500, may come of one record that the server cannot handle. Taken for
a fault of the whole upstream it would pause everybody, again and again, as long as that one record
is asked for. So it concerns whoever asked, until several different resources fail like that with
nothing answered in between.
"""

DIFFERENT = 3
"""So many resources in a row are no coincidence; one holder's look touches two at the most before
it is given up."""


class Suspicion:
    """Remembers which resources of one upstream failed since it last answered."""

    def __init__(self) -> None:
        """Nothing failed yet."""
        self._failed: set[str] = set()

    def confirmed(self, resource: str) -> bool:
        """Note a failure; whether it is the upstream's by now. ``resource`` is its address."""
        if len(self._failed) < DIFFERENT:
            self._failed.add(resource)
        return len(self._failed) >= DIFFERENT

    def allayed(self) -> None:
        """The upstream answered something."""
        self._failed.clear()
