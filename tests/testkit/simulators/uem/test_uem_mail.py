"""Devices read mail that the openssl command line encrypted, with the keys that they hold."""

from pathlib import Path

import pytest

from connector_testkit.simulators.uem import UemControl
from connector_testkit.simulators.uem.control import ControlError
from tests.conftest import Needs
from tests.testkit.simulators.uem.conftest import Api
from tests.testkit.simulators.uem.keyring import MadePair, encrypted_mail, upload_body

TEXT = b"Gr\xc3\xbc\xc3\x9fe an alle\n"


@pytest.fixture(scope="session")
def openssl(needs: Needs) -> str:
    return needs("openssl")


@pytest.fixture
async def device(api: Api, control: UemControl, pairs: list[MadePair]) -> int:
    """Holds pair 0 for signing, 1 as current, 2 as archived; pair 3 is another user's."""
    user = await control.add_user("ada")
    number = await control.enrol(user)
    await api.upload(user, upload_body(pairs[0], pairs[1], (pairs[2],)))
    await control.advance_clock(60)
    return number


@pytest.mark.parametrize("form", [[], ["-outform", "DER"], ["-outform", "PEM"]])
@pytest.mark.parametrize(("pair", "slot"), [(1, "encryption"), (2, "archived")])
async def test_mail_to_a_held_key_is_read(
    control: UemControl,
    device: int,
    pairs: list[MadePair],
    openssl: str,
    tmp_path: Path,
    pair: int,
    slot: str,
    form: list[str],
) -> None:
    """Current and earlier mail, as S/MIME, PEM or DER; the answer names the key that opened it."""
    mail = encrypted_mail(openssl, TEXT, pairs[pair], tmp_path, *form)
    read = await control.decrypt(device, mail)
    assert read["plaintext"].encode() == TEXT
    assert (read["slot"], read["fingerprint"]) == (slot, pairs[pair].fingerprint)


async def test_a_purged_copy_does_not_take_the_mail_away(
    control: UemControl, device: int, pairs: list[MadePair], openssl: str, tmp_path: Path
) -> None:
    """The device reads on when the UEM holds nothing any more."""
    await control.purge()
    mail = encrypted_mail(openssl, TEXT, pairs[1], tmp_path)
    assert (await control.decrypt(device, mail))["plaintext"].encode() == TEXT


@pytest.mark.parametrize("pair", [0, 3])
async def test_mail_to_other_keys_stays_closed(
    control: UemControl,
    device: int,
    pairs: list[MadePair],
    openssl: str,
    tmp_path: Path,
    pair: int,
) -> None:
    """Neither another user's key nor the signing pair opens it."""
    mail = encrypted_mail(openssl, TEXT, pairs[pair], tmp_path)
    with pytest.raises(ControlError, match="no-key"):
        await control.decrypt(device, mail)


async def test_a_device_that_left_reads_nothing(
    control: UemControl, device: int, pairs: list[MadePair], openssl: str, tmp_path: Path
) -> None:
    """After unenrolment the keys are gone."""
    await control.unenrol(device)
    mail = encrypted_mail(openssl, TEXT, pairs[1], tmp_path)
    with pytest.raises(ControlError, match="no-profile"):
        await control.decrypt(device, mail)


@pytest.mark.parametrize("how", ["-des3", "-keyid"])
async def test_other_ways_to_encrypt_are_named_unsupported(
    control: UemControl,
    device: int,
    pairs: list[MadePair],
    openssl: str,
    tmp_path: Path,
    how: str,
) -> None:
    """Triple DES and recipients by key identifier are not read, and that is said."""
    mail = encrypted_mail(openssl, TEXT, pairs[1], tmp_path, how)
    with pytest.raises(ControlError, match="unsupported"):
        await control.decrypt(device, mail)


@pytest.mark.parametrize("mail", [b"hello", b"\x30\x03\x02\x01\x05", b"\xff\xfe", b""])
async def test_what_is_no_message_is_refused(control: UemControl, device: int, mail: bytes) -> None:
    """Text, other ASN.1, bytes and nothing."""
    with pytest.raises(ControlError, match="not-a-message"):
        await control.decrypt(device, mail)
