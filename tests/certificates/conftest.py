from random import Random

import pytest

from connector.core.key_material import allow_key_material
from connector_testkit.simulators.ca.authority import Authority
from connector_testkit.simulators.ca.keys import MAKERS, PrivateKey
from connector_testkit.simulators.ca.options import KeyAlgorithm


@pytest.fixture(scope="session", autouse=True)
def key_material() -> None:
    """This process stands for a hand-over process."""
    allow_key_material()


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority(Random(7))


@pytest.fixture(scope="session")
def keys() -> tuple[PrivateKey, ...]:
    return tuple(MAKERS[KeyAlgorithm.RSA_2048]() for _ in range(2))
