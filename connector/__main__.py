"""The command line: ``pki-connector`` or ``python -m connector``."""

import os
import secrets
import sys

from connector.cli.options import World
from connector.cli.root import run


def main() -> None:
    """Run the command that the process was started with."""
    run(sys.argv[1:], World(os.environ, lambda: secrets.token_hex(16)))


if __name__ == "__main__":
    main()
