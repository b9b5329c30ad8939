import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from connector.core.key_material import allow_key_material


@pytest.fixture(scope="session", autouse=True)
def key_material() -> None:
    """This process stands for a hand-over process."""
    allow_key_material()


@pytest.fixture(scope="session")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="session")
def other_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="session")
def small_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 1024)  # noqa: S505 - archived keys may be that old


@pytest.fixture(scope="session")
def curve_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())
