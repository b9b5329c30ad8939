"""How long a test waits for what has to come: one number for all.

It is scaled by a speed that is measured at the start of the run, before the workers of a parallel
run are started, and by how many of them share a core; then it is the same for all of them. A longer
limit costs time only where a test fails; how fast something is, is measured in ``bench/``.
"""

from connector_testkit.demo.polling import patience, slowness

SLOWNESS = slowness()
"""How many times slower than two quiet cores the machine is for each worker of the run."""
PATIENCE = patience()
"""Seconds."""


def scaled(milliseconds: float) -> str:
    """A duration of the settings that a busy machine needs as much longer as it is slower."""
    return f"{milliseconds * SLOWNESS:.0f}ms"
