"""What the check says of a mounted file is what its user finds in it."""

import codecs
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connector.core.errors import Permanent
from connector.core.source import Sender
from connector.integrations.http_escrow.source import StandardWebhooksSource
from connector.integrations.workspace_one.source import WorkspaceOneSource
from connector.mounted import read_secret
from connector.settings.document import read_document
from connector.settings.model import Settings
from connector.settings.reload import mounted_files, take_snapshot
from tests.settings.examples import Change, Check, Values

Spoil = Callable[[Path], Any]


def rewritten(before: bytes, encoding: str) -> Spoil:
    return lambda file: file.write_bytes(before + file.read_text().encode(encoding))


def pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def device(file: Path) -> None:
    file.unlink()
    file.symlink_to("/dev/zero")


SPOILED: dict[str, Spoil] = {
    "untouched": lambda _: None,
    "with a mark": rewritten(codecs.BOM_UTF8, "utf-8"),
    "utf-16": rewritten(codecs.BOM_UTF16_LE, "utf-16-le"),
    "utf-16 without a mark": rewritten(b"", "utf-16-be"),
    "a space behind": lambda file: file.write_text(file.read_text().rstrip() + " \n"),
    "no text": lambda file: file.write_bytes(b"\xff\xff\xff"),
    "empty": lambda file: file.write_text("\n"),
    "large": lambda file: file.write_text("x" * 100_000),
    "a pipe": pipe,
    "a device": device,
    "writable": lambda file: file.chmod(0o666),
    "gone": lambda file: file.unlink(),
}
FILES = ("audit.key", "api.password", "hook.password", "ca.secret")


def use(settings: Settings) -> None:
    """Read each file as the service does when it starts."""
    read_secret(settings.audit.key_file)
    snapshot = take_snapshot(mounted_files(settings.model_dump()))
    for source, upstream in (
        (WorkspaceOneSource, settings.uems["ws-one"]),
        (StandardWebhooksSource, settings.cas["main"]),
    ):
        assert upstream.webhook is not None
        source([Sender("one", upstream.webhook, snapshot.credential)])
    snapshot.credential(settings.audit.key_file.parent / "api.password")


@pytest.mark.parametrize("how", SPOILED)
@pytest.mark.parametrize("name", FILES)
def test_the_check_and_the_start_agree(
    checked: Check, good: Values, tmp_path: Path, name: str, how: str
) -> None:
    """Both take a file, or the check names it: never is a service started on a silent fault."""
    before = checked(good).settings
    assert before is not None
    SPOILED[how](tmp_path / name)
    report = checked(good)
    if report.settings is not None:
        use(report.settings)
        return
    assert len(report.problems) == 1
    assert name in report.problems[0].wrong or name == "ca.secret"
    with pytest.raises(Permanent, match="CFG-003"):
        use(before)


@pytest.mark.parametrize("size", [0, 15])
def test_a_short_webhook_password_is_refused(
    checked: Check, good: Values, tmp_path: Path, size: int
) -> None:
    """Nothing but its length stands against guessing."""
    (tmp_path / "hook.password").write_text("x" * size + "\n")
    (problem,) = checked(good).problems
    assert problem.setting == "uems.ws-one.webhook.credentials[0].password_file"


@pytest.mark.parametrize("odd", ["pipe", "/dev/zero", "."])
def test_settings_are_a_regular_file(
    checked: Check, good: Values, tmp_path: Path, odd: str
) -> None:
    """A pipe or device as settings ends in one line, not in waiting for ever."""
    os.mkfifo(tmp_path / "pipe")
    assert checked(good).problems == ()
    (problem,) = read_document(tmp_path / odd).problems
    assert problem.setting == "the file"


@pytest.mark.parametrize(
    ("networks", "wide"),
    [
        (["0.0.0.0/0"], [0]),
        (["10.0.0.0/8", "0.0.0.0/1", "128.0.0.0/1"], [1, 2]),
        (["::/0", "2000::/3", "2001:db8::/32"], [0, 1]),
        (["192.0.2.1", "2001:db8::1"], []),
    ],
)
def test_nearly_everybody_is_no_list_of_proxies(
    checked: Check, changed: Change, networks: list[str], wide: list[int]
) -> None:
    """Plain HTTP from everywhere is refused, one line for each network."""
    values = changed("service.intake.plain_from", networks)
    del values["service"]["intake"]["tls"]
    found = [problem.setting for problem in checked(values).problems]
    assert found == [f"service.intake.plain_from[{index}]" for index in wide]


@pytest.mark.parametrize(
    "address",
    [
        "https://",
        "https://uem.example.com:99999",
        "https://uem.example.com:x",
        "https://uem example.com",
        "https://uem.example.com/a b",
        "https://.example.com",
        "https://uem..example.com",
        "https://-uem.example.com",
        "https://300.1.1.1",
        "https://[2001:db8::1",
        "https://[nonsense]",
        "https://uem.example.com\n",
        "https://" + "a" * 64 + ".example.com",
        "https://uem.example.com,uem2.example.com",
        "uem.example.com",
    ],
)
def test_a_malformed_address_is_named(checked: Check, changed: Change, address: str) -> None:
    """One line in the report, without the value."""
    (problem,) = checked(changed("uems.ws-one.address", address)).problems
    assert problem.setting == "uems.ws-one.address"
    assert address.strip() not in problem.wrong.replace("https:// address", "")


@pytest.mark.parametrize(
    "address",
    [
        "https://uem.example.com",
        "https://uem:8443/api",
        "https://m\u00f6bel.example",
        "https://192.0.2.1:8443",
        "https://[2001:db8::1]:8443/x/",
        "https://my_uem.example.com.",
        "http://localhost:1",
    ],
)
def test_a_proper_address_is_taken(checked: Check, changed: Change, address: str) -> None:
    """Names, short names, internationalised names, both kinds of IP address."""
    assert checked(changed("uems.ws-one.address", address)).problems == ()


@pytest.mark.parametrize("host", ["256.1.1.1", "127.0.0.1:8443", "a b", "", "http://x"])
def test_a_malformed_interface_is_named(checked: Check, changed: Change, host: str) -> None:
    """Not first when the service starts."""
    (problem,) = checked(changed("service.intake.listen.host", host)).problems
    assert problem.setting == "service.intake.listen.host"
