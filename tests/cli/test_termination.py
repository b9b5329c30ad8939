"""The message that ``serve`` leaves for Kubernetes when it ends."""

from pathlib import Path

import pytest

from connector.cli.termination import LONGEST, left_in
from connector.core.errors import Permanent
from tests.cli.calls import Command


def test_refused_settings_are_left_with_what_to_do(
    command: Command, good: Path, tmp_path: Path
) -> None:
    """Every fault with its place, and no value: a secret may be written where none belongs."""
    file = tmp_path / "termination-log"
    file.write_text("earlier message" * 100)
    good.write_text(good.read_text() + "\nworker: {tidy_every: marker-7731}\nbogus: marker-7731\n")
    done = command("serve", "--config", str(good), "--termination-log", str(file))
    left = file.read_text()
    assert done.code == 8
    assert left.startswith("CFG-001 Settings invalid: ")
    assert "worker.tidy_every" in left
    assert "bogus" in left
    assert "marker-7731" not in left
    assert "earlier" not in left


def test_no_file_is_made(command: Command, tmp_path: Path) -> None:
    """Where Kubernetes mounted none; the message is on standard error in any case."""
    file = tmp_path / "termination-log"
    missing = str(tmp_path / "missing.yaml")
    done = command("serve", "--config", missing, "--termination-log", str(file))
    assert "[CFG-003]" in done.err
    assert not file.exists()


def test_no_more_is_written_than_is_read(tmp_path: Path) -> None:
    """And whole characters only; an end without an error leaves the file alone."""
    file = tmp_path / "termination-log"
    file.write_text("before")
    with left_in(file):
        pass
    assert file.read_text() == "before"
    with pytest.raises(Permanent), left_in(file):
        raise Permanent("SRV-001", "ä" * LONGEST)
    assert len(file.read_bytes()) <= LONGEST
    assert file.read_text().startswith("SRV-001 Cannot listen")
