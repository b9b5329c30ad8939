"""The command line: ``pki-connector`` or ``python -m connector``."""

import io
import os
import secrets
import sys

from connector.cli.options import World
from connector.cli.root import run


def main() -> None:
    """Run the command that the process was started with.

    A character that the terminal's encoding lacks is written as an escape sequence.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    run(sys.argv[1:], World(os.environ, lambda: secrets.token_hex(16)))


if __name__ == "__main__":
    main()
