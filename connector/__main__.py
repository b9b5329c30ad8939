"""The command line: ``pki-connector`` or ``python -m connector``."""

import gc
import io
import os
import secrets
import sys


def main() -> None:
    """Run the command that the process was started with.

    A character that the terminal's encoding lacks is written as an escape sequence.
    """
    gc.disable()  # modules stay: looking through them again and again is a fifth of the start
    from connector.cli.options import World  # noqa: PLC0415 - without the collector
    from connector.cli.root import run  # noqa: PLC0415 - as above

    gc.enable()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    run(sys.argv[1:], World(os.environ, lambda: secrets.token_hex(16)))


if __name__ == "__main__":
    main()
