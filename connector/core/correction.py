"""How far a partition has come with correcting its states after journal time stepped back."""

from connector.core.lenient import LenientRecord


class Correction(LenientRecord):
    """How far states have been corrected since journal time stepped back.

    ``after``: the key up to which subjects are done, ``subjects``: how many these are, ``changed``:
    how many of them had a time that a wrong clock had written.
    """

    after: str = ""
    subjects: int = 0
    changed: int = 0
