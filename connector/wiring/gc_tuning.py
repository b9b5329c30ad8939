"""Python's cyclic garbage collector, set up for a process that makes little cyclic garbage."""

import gc

YOUNG, MIDDLE, OLD = 10_000, 20, 20
"""Python's own first number is 700: under load it then looks over what is alive dozens of times a
second and finds next to nothing, which costs a tenth of the intake's speed."""


def settle_collector() -> None:
    """What was loaded up to now stays for good; look at the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
