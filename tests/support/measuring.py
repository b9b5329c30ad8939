"""Coverage of a service that runs as a process of its own."""

from pathlib import Path

import coverage

ROOT = Path(__file__).parents[2]


def measured() -> tuple[str, ...]:
    """A command that starts another one with its coverage measured, if this run measures any.

    It costs the service half of its speed, so it is for few tests: those in which it passes
    through the code that runs nowhere else.
    """
    running = coverage.Coverage.current()
    if running is None:
        return ()
    data = Path(str(running.get_option("run:data_file"))).absolute()
    return ("env", f"COVERAGE_PROCESS_START={ROOT / 'pyproject.toml'}", f"COVERAGE_FILE={data}")
