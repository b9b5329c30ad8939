"""Exit codes, stable for scripts."""

from enum import IntEnum

from connector.core.errors import ConnectorError, Family


class Exit(IntEnum):
    """What the end of a command means."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    NEEDS_APPROVAL = 4
    DENIED = 5
    UNAVAILABLE = 6
    PARTLY = 7
    PROBLEMS = 8
    NOT_YET = 9


BY_CODE = {
    "DLV-007": Exit.NOT_FOUND,
    "DLV-010": Exit.NOT_FOUND,
    "EVT-007": Exit.USAGE,
    "AUTH-004": Exit.DENIED,
    "ADM-004": Exit.DENIED,
}


def exit_code(error: ConnectorError) -> Exit:
    """The exit code of a command that ended with this error."""
    if error.code in BY_CODE:
        return BY_CODE[error.code]
    if error.code.startswith("CFG-"):
        return Exit.PROBLEMS
    return Exit.UNAVAILABLE if error.family is Family.TRANSIENT else Exit.FAILED
