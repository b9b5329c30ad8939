"""Subject keys, made ahead of need because an RSA key takes tens of milliseconds."""

import asyncio
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from connector_testkit.simulators.ca.options import KeyAlgorithm

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def _rsa(bits: int) -> Callable[[], PrivateKey]:
    return lambda: rsa.generate_private_key(public_exponent=65537, key_size=bits)


def _ec(curve: ec.EllipticCurve) -> Callable[[], PrivateKey]:
    return lambda: ec.generate_private_key(curve)


MAKERS: dict[KeyAlgorithm, Callable[[], PrivateKey]] = {
    KeyAlgorithm.RSA_1024: _rsa(1024),
    KeyAlgorithm.RSA_2048: _rsa(2048),
    KeyAlgorithm.RSA_3072: _rsa(3072),
    KeyAlgorithm.RSA_4096: _rsa(4096),
    KeyAlgorithm.EC_P256: _ec(ec.SECP256R1()),
    KeyAlgorithm.EC_P384: _ec(ec.SECP384R1()),
    KeyAlgorithm.EC_K256: _ec(ec.SECP256K1()),
    KeyAlgorithm.ED25519: ed25519.Ed25519PrivateKey.generate,
}


class KeyPool:
    """Keys of the default kind wait here; :meth:`fill` runs as long as the pool is used.

    With ``reuse`` the pool makes that many keys in all and deals them out again and again.
    """

    def __init__(self, default: KeyAlgorithm, *, size: int, reuse: int | None) -> None:
        """Take the default kind, how many wait, and how many are made in all (None: no end)."""
        self._default = default
        self._ready: asyncio.Queue[PrivateKey] = asyncio.Queue(maxsize=reuse or size)
        self._reuse = reuse

    async def fill(self) -> None:
        """Keep the pool full; with ``reuse``, until all are made."""
        made = 0
        while self._reuse is None or made < self._reuse:
            await self._ready.put(await asyncio.to_thread(MAKERS[self._default]))
            made += 1

    async def take(self, algorithm: KeyAlgorithm | None = None) -> PrivateKey:
        """A key of ``algorithm``, by default one that waits."""
        if algorithm not in {None, self._default}:
            return await asyncio.to_thread(MAKERS[algorithm or self._default])
        key = await self._ready.get()
        if self._reuse is not None:
            self._ready.put_nowait(key)
        return key
