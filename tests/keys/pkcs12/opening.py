"""Opening forged bundles, and the code of what is refused."""

import pytest

from connector.core.errors import Permanent
from connector.core.key_material import KeyMaterial
from connector.keys.pkcs12.read import Expected, Identity, open_bundle
from tests.keys.pkcs12.forged_pkcs12 import (
    Forged,
    Key,
    certificate,
    der,
    fingerprint,
    public_key,
)

PASSWORD = b"open sesame"


def expected(key: Key, *, archived: bool = False, siblings: tuple[Key, ...] = ()) -> Expected:
    leaf = certificate(key)
    return Expected(
        fingerprint=fingerprint(leaf),
        public_key=public_key(key),
        certificate=der(leaf),
        archived=archived,
        siblings=frozenset(public_key(one) for one in siblings),
    )


def opened(forged: Forged, wanted: Expected, password: bytes = PASSWORD) -> Identity:
    return open_bundle(KeyMaterial(forged.dump()), KeyMaterial(password), wanted)


def code_of(forged: Forged, wanted: Expected, password: bytes = PASSWORD) -> str:
    with pytest.raises(Permanent) as caught:
        opened(forged, wanted, password)
    return caught.value.code
