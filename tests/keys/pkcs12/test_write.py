"""Writing: other people's programs open what we write, and only with its own password."""

import re
import secrets
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12 as library

from connector.core.key_material import KeyMaterial
from connector.keys.pkcs12.preflight import check_outline
from connector.keys.pkcs12.read import Identity
from connector.keys.pkcs12.write import Packaged, Profile, new_password, package
from tests.keys.pkcs12.forged_pkcs12 import certificate, der, pkcs8
from tests.keys.pkcs12.programs import program
from tests.patience import PATIENCE


@pytest.fixture(scope="session")
def identity(rsa_key: rsa.RSAPrivateKey) -> Identity:
    return Identity(rsa_key, der(certificate(rsa_key)), reissued=False)


@pytest.fixture(params=list(Profile))
def profile(request: pytest.FixtureRequest) -> Profile:
    return Profile(request.param)


@pytest.fixture
def packaged(identity: Identity, profile: Profile) -> Packaged:
    return package(identity, profile, new_password(secrets.token_bytes), secrets.token_bytes)


def run(command: list[str], password: Packaged) -> str:
    secret = {"P12_PASSWORD": password.password.reveal().decode()}
    done = subprocess.run(  # noqa: PLW1510 - the text is part of the verdict
        command, env=secret, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def written(directory: Path, packaged: Packaged) -> str:
    path = directory / "bundle.p12"
    path.write_bytes(packaged.pkcs12.reveal())
    return str(path)


def test_openssl_opens_it(tmp_path: Path, packaged: Packaged, profile: Profile) -> None:
    """The openssl command line verifies the MAC and names the algorithms of the profile."""
    path = written(tmp_path, packaged)
    command = [program("openssl"), "pkcs12", "-in", path, "-passin", "env:P12_PASSWORD"]
    said = run([*command, "-info", "-noout"], packaged)
    if profile is Profile.MODERN:
        assert "MAC: sha256, Iteration 2048" in said
        assert said.count("PBES2, PBKDF2, AES-256-CBC, Iteration 2048, PRF hmacWithSHA256") == 2
    else:
        assert "MAC: sha1, Iteration 2048" in said
        assert said.count("pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2048") == 2
    assert "BEGIN PRIVATE KEY" in run([*command, "-nodes", "-nocerts"], packaged)


def test_keytool_opens_it(tmp_path: Path, packaged: Packaged) -> None:
    """Java's keytool finds one entry with a private key and a chain of one certificate."""
    path = written(tmp_path, packaged)
    command = [program("keytool"), "-J-Duser.language=en", "-list", "-v", "-keystore", path]
    said = run([*command, "-storetype", "PKCS12", "-storepass:env", "P12_PASSWORD"], packaged)
    assert said.count("Entry type: PrivateKeyEntry") == 1
    assert "Certificate chain length: 1" in said


def test_what_was_put_in_comes_out(packaged: Packaged, identity: Identity) -> None:
    """Key and certificate are unchanged, the name is neutral, and no key lies open."""
    check_outline(packaged.pkcs12.reveal())
    opened = library.load_pkcs12(bytes(packaged.pkcs12.reveal()), bytes(packaged.password.reveal()))
    assert isinstance(opened.key, rsa.RSAPrivateKey)
    assert isinstance(identity.key, rsa.RSAPrivateKey)
    assert pkcs8(opened.key) == pkcs8(identity.key)
    assert opened.cert is not None
    assert der(opened.cert.certificate) == identity.certificate
    assert opened.cert.friendly_name == b"smime"
    assert opened.additional_certs == []


def test_password_is_strong_and_typed_by_anybody() -> None:
    """160 bits of the given chance in 32 printable characters, another one every time."""
    asked: list[int] = []

    def token_bytes(size: int) -> bytes:
        asked.append(size)
        return secrets.token_bytes(size)

    words = {bytes(new_password(token_bytes).reveal()) for _ in range(20)}
    assert asked == [20] * 20
    assert len(words) == 20
    assert all(re.fullmatch(rb"[A-Z2-7]{32}", word) for word in words)


def test_nothing_shows_itself(packaged: Packaged) -> None:
    """Neither the bundle nor its password has a representation that tells anything."""
    assert repr(packaged) == "<Packaged>"
    assert isinstance(packaged.password, KeyMaterial)
    assert "KeyMaterial" in repr(packaged.password)
