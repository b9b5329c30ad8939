"""Runs a command as the same user, but without any capability, as in service."""

import ctypes
import os
import sys
from itertools import count

DROP_FROM_BOUNDING_SET = 24


def main() -> None:
    libc = ctypes.CDLL(None)
    for capability in count():
        if libc.prctl(DROP_FROM_BOUNDING_SET, capability, 0, 0, 0) != 0:
            break
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - becomes the command


main()
