"""Mounted files: bounded, regular, of this user; secrets in every encoding that has a mark."""

import codecs
import os
from pathlib import Path

import pytest

from connector.core.errors import Permanent
from connector.mounted import LARGEST, read_mounted, read_secret

SECRET = "pässword with spaces"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text(SECRET + "\n")
    return path


def refusal(file: Path) -> str:
    with pytest.raises(Permanent) as caught:
        read_secret(file)
    assert caught.value.code == "CFG-003"
    assert str(file) in caught.value.detail
    return caught.value.detail


@pytest.mark.parametrize(
    "data",
    [
        codecs.BOM_UTF8 + SECRET.encode(),
        codecs.BOM_UTF16_LE + SECRET.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + f"{SECRET}\r\n".encode("utf-16-be"),
    ],
    ids=["utf-8", "utf-16-le", "utf-16-be"],
)
def test_a_byte_order_mark_is_no_part_of_a_secret(file: Path, data: bytes) -> None:
    """Editors of some systems write one; the password is the same."""
    file.write_bytes(data)
    assert read_secret(file).reveal() == SECRET


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (codecs.BOM_UTF8 + b"\n", "empty"),
        (b"\xff\xfe\xff", "text"),
        ("secret".encode("utf-16-le"), "text"),
        (b"x" * 70_000, "64 KiB"),
        (b"x" * (LARGEST + 1), "1024 KiB"),
    ],
)
def test_what_is_no_secret_is_refused(file: Path, data: bytes, why: str) -> None:
    """With its path and why, never with what is in it."""
    file.write_bytes(data)
    assert why in refusal(file)


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    """A pipe without a writer and a device without an end are refused at once."""
    os.mkfifo(tmp_path / "pipe")
    for odd in (tmp_path / "pipe", Path("/dev/zero"), Path("/dev/null"), tmp_path):
        assert "regular" in refusal(odd) or "directory" in refusal(odd)


@pytest.mark.parametrize(
    ("mode", "why"), [(0o602, "all users"), (0o666, "all users"), (0o400, ""), (0o664, "")]
)
def test_what_everybody_may_write_is_refused(file: Path, mode: int, why: str) -> None:
    """Our own group may: on many systems it has no other member."""
    file.chmod(mode)
    if why:
        assert why in refusal(file)
    else:
        assert read_mounted(file)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_what_belongs_to_others_is_refused(file: Path) -> None:
    """Another user, or another group that may write."""
    os.chown(file, 12345, -1)
    assert "another user" in refusal(file)
    os.chown(file, 0, 12345)
    assert read_mounted(file)
    file.chmod(0o660)
    assert "another group" in refusal(file)


def test_a_link_is_followed(file: Path, tmp_path: Path) -> None:
    """Kubernetes mounts secrets as links."""
    (tmp_path / "link").symlink_to(file)
    assert read_secret(tmp_path / "link").reveal() == SECRET
